# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare notifications and workflow nodes in AWX with the variables of the playbook awx.setup. Pure."""

from __future__ import annotations

ENCRYPTED = "$encrypted$"
# AWX's defaults for notifications (init_parameters in awx/main/notifications).
NOTIFICATION_DEFAULTS = {"http_method": "POST", "disable_ssl_verification": False, "timeout": 30}
# Fields of a workflow node that awx.awx.workflow_job_template_node cannot reset.
NODE_PROMPTS = (
    "all_parents_must_converge",
    "diff_mode",
    "execution_environment",
    "extra_data",
    "forks",
    "inventory",
    "job_slice_count",
    "job_tags",
    "job_type",
    "limit",
    "scm_branch",
    "skip_tags",
    "timeout",
    "verbosity",
)


def notification_differs(wanted: dict, present: dict, mark: str) -> bool:
    """Return whether a notification differs from the variables. Secrets that AWX hides count as equal.

    :param present: the notification in AWX, empty if there is none.
    """
    if not present or present["notification_type"] != wanted["type"] or not present["description"].endswith(mark):
        return True
    configuration = present["notification_configuration"]
    if any(configuration.get(name) not in (value, ENCRYPTED) for name, value in wanted["configuration"].items()):
        return True
    filled_in = {name: value for name, value in configuration.items() if name not in wanted["configuration"]}
    return any(value != NOTIFICATION_DEFAULTS.get(name, "") for name, value in filled_in.items())


def find_wrong_nodes(present: list[dict], wanted: list[dict]) -> list[str]:
    """Find obsolete nodes of a workflow, and nodes with fields that must be reset."""
    nodes = {one["identifier"]: one for one in wanted}
    return [
        one["identifier"]
        for one in present
        if one["identifier"] not in nodes
        or any(one.get(name) and not nodes[one["identifier"]].get(name) for name in NODE_PROMPTS)
    ]


class FilterModule:
    """The comparisons as filters of this playbook."""

    def filters(self) -> dict:
        return {
            "azureml_awx_notification_differs": notification_differs,
            "azureml_awx_wrong_nodes": find_wrong_nodes,
        }
