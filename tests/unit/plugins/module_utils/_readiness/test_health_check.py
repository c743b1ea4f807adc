# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The health check report, with a report of a real cluster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._readiness.health_check import CODES, as_line, findings

REPORT = """\
Report:
Duration: 149.978981ms
Date: 2023-12-12 13:57:17.896838241 +0000 UTC m=+0.298028493
K8sDistribution:
K8sInfrastructure:
CorrelationId: 01234567-89ab-cdef-0123-456789abcdef
TroubleShootingGuide: https://aka.ms/arcmltsg

Status: Passed Name: service
Status: Passed Name: helmchart
Status: Failed Name: instancetype ErrorCode: E45006 ErrorMessage: Failed to validate or update instancetype
Status: Passed Name: clusterresource
Status: Passed Name: info
"""


def test_failed_check_of_a_real_report_is_a_finding():
    (row,) = findings({"reports-pre-install": REPORT})
    assert row == {
        "report": "pre-install",
        "check": "instancetype",
        "code": "E45006",
        "title": "INSTANCE_TYPE",
        "message": "Failed to validate or update instancetype",
        "blocking": False,
        "hint": CODES["E45006"][1],
    }
    assert as_line(row) == (
        "Health check pre-install, instancetype: E45006 INSTANCE_TYPE: Failed to validate or update instancetype."
        " Instance types could not be validated or updated: check those in the cluster."
    )


def test_blocking_checks_come_first():
    node = "Status: Failed Name: node ErrorCode: E40002 ErrorMessage: Not enough nodes"
    rows = findings({"reports-pre-install": REPORT, "reports-pre-upgrade": node, "other": node})
    assert [(row["code"], row["blocking"]) for row in rows] == [("E40002", True), ("E45006", False)]


@pytest.mark.parametrize(
    "text", ["", "Report:\n", "Status: Passed Name: info", "Status:", "Status: Failed", "\x00 \x1b[31m"]
)
def test_report_without_failed_checks_has_no_findings(text):
    assert findings({"reports-test": text}) == []


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("Status: Failed Name: x", "", ""),
        ("Status: Failed Name: x ErrorCode: E4x ErrorMessage: odd", "E4x", "odd"),
        ("Status: Failed Name: x ErrorCode: E50001 ErrorMessage: new", "E50001", "new"),
    ],
)
def test_unknown_code_is_shown_unchanged(line, code, message):
    (row,) = findings({"reports-test": line})
    assert (row["code"], row["message"], row["title"]) == (code, message, "")
    assert as_line(row)


def test_troubleshooting_page_lists_every_code():
    page = Path(__file__).parents[5] / "docs/troubleshooting.md"
    rows = re.findall(r"^\| (E\d{5}) \| (\w+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(code, name) for code, (name, _hint) in CODES.items()]
