# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of a plan as text. Pure."""

from __future__ import annotations

# By action: the change of the extension, and that of a compute.
EXTENSION = {
    "none": "unchanged",
    "create": "installed",
    "update": "updated",
    "replace": "replaced",
    "delete": "removed",
    "adopt": "joined an operation in progress",
    "refuse": "refused",
}
COMPUTE = {**EXTENSION, "create": "attached", "replace": "attached again", "delete": "detached"}
# Actions that send a request, which check mode does not.
CHANGES = ("create", "update", "replace", "delete")
PLANNED = {"none": "in sync", "adopt": "has an operation in progress"}


def in_words(action: str, words: dict[str, str], planned: bool) -> str:
    """Return an action as text: C(installed).

    :param words: C(EXTENSION) or C(COMPUTE).
    :param planned: whether nothing was changed, as in check mode: C(would be installed).
    """
    if not planned:
        return words[action]
    return f"would be {words[action]}" if action in CHANGES else PLANNED.get(action, words[action])
