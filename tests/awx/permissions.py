# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The permissions of users, from C(awx/main/access.py). Pure."""

from __future__ import annotations

from dataclasses import dataclass

# Methods that only system administrators may use. Administrators of an organization may change it.
SYSTEM_ONLY = {"credential_types": ("POST", "PATCH", "DELETE"), "organizations": ("POST", "DELETE")}


@dataclass
class User:
    """A user of AWX.

    :param organization: the organization of which the user is an administrator.
    """

    name: str
    password: str
    superuser: bool = False
    organization: int | None = None

    def sees(self, endpoint: str, item: dict) -> bool:
        """Return whether an item is in the lists of the user."""
        if self.superuser or endpoint == "credential_types":
            return True
        if endpoint == "organizations":
            return item["id"] == self.organization
        # Parts of templates (nodes, schedules, approvals) have no organization.
        return self.organization is not None and item.get("organization", self.organization) == self.organization

    def may(self, method: str, endpoint: str) -> bool:
        """Return whether the user may use a method on visible items."""
        if self.superuser or method == "GET":
            return True
        return self.organization is not None and method not in SYSTEM_ONLY.get(endpoint, ())
