# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what, as far as it differs here: C(awx/main/access.py). Pure."""

from __future__ import annotations

from dataclasses import dataclass

# What nobody but a system administrator creates, changes or deletes; organizations are changed by their administrators.
SYSTEM_ONLY = {"credential_types": ("POST", "PATCH", "DELETE"), "organizations": ("POST", "DELETE")}
# What everybody sees.


@dataclass
class User:
    """A user of AWX.

    :param organization: the organization that the user administrates.
    """

    name: str
    password: str
    superuser: bool = False
    organization: int | None = None

    def sees(self, endpoint: str, item: dict) -> bool:
        """Return whether an item is in the lists that the user gets."""
        if self.superuser or endpoint == "credential_types":
            return True
        if endpoint == "organizations":
            return item["id"] == self.organization
        # Parts of templates (nodes, schedules, approvals) have no organization themselves.
        return self.organization is not None and item.get("organization", self.organization) == self.organization

    def may(self, method: str, endpoint: str) -> bool:
        """Return whether the user may use a method on items that are seen."""
        if self.superuser or method == "GET":
            return True
        return self.organization is not None and method not in SYSTEM_ONLY.get(endpoint, ())
