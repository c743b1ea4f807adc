# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source of ansible-rulebook that reports changes of the AzureML extensions of a fleet."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from typing import Any

DOCUMENTATION = r"""
short_description: Report AzureML extensions of a fleet that failed, changed or disappeared
description:
  - Reads all clusters of an inventory at intervals, and reports the extensions that differ from the last check.
  - The clusters come from the inventory plugin P(azureml.arc.clusters#inventory), so a thousand clusters take two
    requests to Azure Resource Graph. The credentials, and the delay until Azure Resource Graph shows a change, are
    those of that plugin.
  - The first check only reports failed extensions. An operation in progress is reported when it ends.
options:
  inventory:
    description: Path of the inventory's configuration file, which AWX's inventory source should use, too.
    type: path
    required: true
  interval:
    description: Seconds between two checks.
    type: float
    default: 300
"""

EXAMPLES = r"""
- azureml.arc.clusters:
    inventory: azureml_clusters.yml
    interval: 600
"""

RETURN = r"""
reason:
  description:
    - V(extension_failed) if its operation failed, V(extension_changed) if version, release train or settings differ
      from the last check, V(extension_missing) if it disappeared.
  type: str
host:
  description: Name of the inventory host, for the limit of a job.
  type: str
changed:
  description: Names of the fields that differ from the last check.
  type: list
extension:
  description: The extension as in the host variable C(azureml_cluster.extension), V(null) if it disappeared.
  type: dict
"""

INTERVAL = 300.0
# In every other state an operation is in progress. Copied from plugins/module_utils/_azure/states.py, which this file
# cannot import, because ansible-rulebook runs it by its path.
FINAL_STATES = ("succeeded", "failed", "canceled")

logger = logging.getLogger(__name__)


def events(before: dict[str, dict], now: dict[str, dict | None]) -> list[dict[str, Any]]:
    """Return the events of one check.

    :param before: the extensions of the previous checks, by host. Updated in place.
    :param now: the extensions of this check, C(None) for clusters without an extension.
    """
    found = []
    for host, extension in now.items():
        last = before.get(host)
        if extension is None:
            if before.pop(host, None):
                found.append({"reason": "extension_missing", "host": host, "changed": [], "extension": None})
            continue
        state = extension["provisioning_state"].lower()
        if state not in FINAL_STATES:
            continue
        before[host] = extension
        changed = sorted(name for name, value in extension.items() if last and last.get(name) != value)
        failed = state != "succeeded"
        if changed or (failed and not last):
            reason = "extension_failed" if failed else "extension_changed"
            found.append({"reason": reason, "host": host, "changed": changed, "extension": extension})
    return found


async def read(inventory: str) -> dict[str, dict | None]:
    """Return the extension of each host.

    :raises RuntimeError: with the message of C(ansible-inventory), if it cannot read the inventory.
    """
    process = await asyncio.create_subprocess_exec(
        "ansible-inventory",
        "-i",
        inventory,
        "--list",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true", "ANSIBLE_NOCOLOR": "true"},
    )
    output, errors = await process.communicate()
    if process.returncode:
        raise RuntimeError(" ".join(errors.decode(errors="replace").split()))
    # ansible-core 2.19 and later wrap strings that are not templates.
    listed = json.loads(output, object_hook=lambda value: value.get("__ansible_unsafe", value))
    hosts = listed["_meta"]["hostvars"]
    return {host: one["azureml_cluster"]["extension"] for host, one in hosts.items() if "azureml_cluster" in one}


async def main(queue: asyncio.Queue, args: dict[str, Any]) -> None:
    """Report events until the task is cancelled. A failed check is logged and repeated after the interval."""
    inventory, interval = args["inventory"], float(args.get("interval", INTERVAL))
    before: dict[str, dict] = {}
    while True:
        try:
            found = events(before, await read(inventory))
        except RuntimeError as error:
            logger.warning("clusters could not be read: %s", error)
        else:
            for event in found:
                await queue.put(event)
        await asyncio.sleep(interval)
