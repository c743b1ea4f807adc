# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a run in one line. Pure."""

from __future__ import annotations

from collections.abc import Mapping

# The playbook whose hosts are not all clusters.
NODES = "nodes.yml"
# By playbook: the name of a run, and the state of clusters after it.
PLAYBOOKS = {
    "deploy.yml": ("Deployment", "ready"),
    "rollout.yml": ("Rollout", "ready"),
    "verify.yml": ("Verification", "in sync"),
    "report.yml": ("Verification", "in sync"),
    "upgrade.yml": ("Upgrade", "up to date"),
    "rotate_tls.yml": ("Certificate rotation", "up to date"),
    NODES: ("Preparation of nodes", "ready"),
    "detach.yml": ("Detachment", "detached"),
    "remove.yml": ("Removal", "removed"),
}
SUCCEEDED = "succeeded"  # in the user's own playbook
GOOD = ("ok", "changed")
OTHERS = {"failed": "failed", "unreachable": "unreachable", "not_started": "not started"}
PLANNED = {"changed": "would change", "ok": "unchanged", **OTHERS}


def headline(playbook: str, totals: Mapping[str, int], check_mode: bool) -> str:
    """Return the result of a run: "Rollout: 4 of 6 clusters ready, 2 failed".

    :param playbook: the file name of the playbook.
    :param totals: the number of clusters by outcome.
    """
    noun = "host" if playbook == NODES else "cluster"
    name, state = PLAYBOOKS.get(playbook, (playbook, SUCCEEDED))
    count = sum(totals.values())
    if not count:
        return f"{name}: no {noun}s"
    if check_mode:
        parts = [f"{totals[one]} {words}" for one, words in PLANNED.items() if totals[one]]
        return f"{name} in check mode: {', '.join(parts)}"
    good = sum(totals[one] for one in GOOD)
    first = f"all {count}" if good == count > 1 else f"{good} of {count}"
    first += f" {noun if count == 1 else f'{noun}s'} {state}"
    return ", ".join([f"{name}: {first}", *(f"{totals[one]} {words}" for one, words in OTHERS.items() if totals[one])])
