# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet report as JUnit XML, with a test case for each cluster. Pure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping

# Characters that XML 1.0 cannot contain, see https://www.w3.org/TR/xml/#charsets
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
KINDS = {"failed": "failure", "unreachable": "error", "not_started": "skipped"}


def as_junit(report: Mapping) -> str:
    """Return the report as text of JUnit XML."""
    totals = report["totals"]
    suite = ET.Element(
        "testsuite",
        name=report["playbook"],
        tests=str(len(report["clusters"])),
        failures=str(totals["failed"]),
        errors=str(totals["unreachable"]),
        skipped=str(totals["not_started"]),
        time=str(report["seconds"]),
        timestamp=report["started"],
    )
    for one in report["clusters"]:
        spans = one["phases"] or [{"start": 0, "end": 0}]
        seconds = max(span["end"] for span in spans) - min(span["start"] for span in spans)
        group = f"wave {one['wave']}" if one["wave"] else "not started"
        case = ET.SubElement(suite, "testcase", classname=group, name=_in_xml(one["name"]), time=f"{seconds:.3f}")
        _add_proofs(case, one)
        if one["outcome"] in KINDS:
            _add_outcome(case, one)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _add_proofs(case: ET.Element, cluster: Mapping) -> None:
    """Add the results of proofs, as properties."""
    proofs = [("endpoint", cluster["endpoint"]["summary"])] if cluster["endpoint"] else []
    for job in cluster["jobs"]:
        proofs += [("job", job["summary"]), ("job page", job["studio_url"])]
    properties = ET.SubElement(case, "properties") if proofs else case
    for name, value in proofs:
        if value:
            ET.SubElement(properties, "property", name=name, value=_in_xml(value))


def _add_outcome(case: ET.Element, cluster: Mapping) -> None:
    kind = KINDS[cluster["outcome"]]
    cause = cluster["cause"]
    if not cause:
        ET.SubElement(case, kind, message="the rollout stopped before this cluster")
        return
    last = cluster["failures"][-1]
    message = f"{cause['kind']}: {cause['detail']}"
    element = ET.SubElement(case, kind, message=_in_xml(message), type=_in_xml(last["code"] or kind))
    element.text = _in_xml("\n".join(line for failure in cluster["failures"] for line in _lines(failure)))


def _lines(failure: Mapping) -> list[str]:
    """Return a failure in full, cause first."""
    findings = [f"{one['message']} {one['hint']}".rstrip() for one in failure["findings"]]
    ids = [f"correlation id {failure['correlation_id']}"] if failure["correlation_id"] else []
    return [line for line in (failure["message"], *findings, failure["hint"], *ids, f"step: {failure['task']}") if line]


def _in_xml(value: str) -> str:
    return NOT_IN_XML.sub("\ufffd", value)
