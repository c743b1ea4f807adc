# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes as mappings from a name to (before, after), with C(None) for an absent value. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def before_and_after(changes: Mapping[str, tuple]) -> dict:
    """Return changes as a module returns them."""
    return {name: {"before": before, "after": after} for name, (before, after) in sorted(changes.items())}


def as_diff(changes: Mapping[str, tuple]) -> dict:
    """Return changes as C(--diff) shows them."""
    ordered = sorted(changes.items())
    return {
        "before": {name: before for name, (before, after) in ordered if before is not None},
        "after": {name: after for name, (before, after) in ordered if after is not None},
    }
