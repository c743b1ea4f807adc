# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what, as far as it differs here: C(awx/main/access.py). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

# What nobody but a system administrator creates, changes or deletes; organizations are changed by their administrators.
SYSTEM_ONLY = {"credential_types": ("POST", "PATCH", "DELETE"), "organizations": ("POST", "DELETE")}
# What everybody sees.
PUBLIC = ("credential_types", "me", "config", "tokens")
TEMPLATES = ("job_templates", "workflow_job_templates")


@dataclass
class User:
    """A user of AWX.

    :param organization: the organization that the user administrates.
    :param executes: the ids of templates that the user may launch.
    """

    name: str
    password: str
    superuser: bool = False
    organization: int | None = None
    executes: set[int] = field(default_factory=set)

    def sees(self, endpoint: str, item: dict) -> bool:
        """Whether an item is in the lists that the user gets."""
        if self.superuser or endpoint in PUBLIC:
            return True
        if endpoint in TEMPLATES and item["id"] in self.executes:
            return True
        if endpoint == "organizations":
            return item["id"] == self.organization
        # Parts of templates (nodes, schedules, approvals) have no organization of their own.
        return self.organization is not None and item.get("organization", self.organization) == self.organization

    def may(self, method: str, endpoint: str) -> bool:
        """Whether the user may use a method on items that are seen."""
        if self.superuser or method == "GET" or endpoint == "tokens":
            return True
        return self.organization is not None and method not in SYSTEM_ONLY.get(endpoint, ())
