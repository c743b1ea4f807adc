# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source of ansible-rulebook: changes of the AzureML extensions of a fleet."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from typing import Any

DOCUMENTATION = r"""
short_description: Report AzureML extensions of a fleet that failed, changed or disappeared
description:
  - Reads all clusters of an inventory at intervals, and reports the extensions that differ from the previous reading.
  - The clusters are those of inventory plugin P(azureml.arc.clusters#inventory), so a thousand clusters take two
    requests to Azure Resource Graph. Credentials and the delay behind Azure are those of that plugin.
  - The first reading reports failed extensions. An operation in progress is reported when it ends.
options:
  inventory:
    description: Path of the configuration file of the inventory, that of AWX's inventory source.
    type: path
    required: true
  interval:
    description: Seconds between two readings.
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
      from the previous reading, V(extension_missing) if it disappeared.
  type: str
host:
  description: Name of the host, to limit a job to.
  type: str
changed:
  description: Names of the fields that differ from the previous reading.
  type: list
extension:
  description: The extension as hosts have it in C(azureml_cluster.extension), none if it disappeared.
  type: dict
"""

INTERVAL = 300.0
# In every other state an operation is in progress. As in plugins/module_utils/_azure/states.py, which ansible-rulebook
# cannot import: it runs this file by its path.
FINAL_STATES = ("succeeded", "failed", "canceled")

logger = logging.getLogger(__name__)


def events(before: dict[str, dict], now: dict[str, dict | None]) -> list[dict[str, Any]]:
    """Return the events of a reading.

    :param before: the extensions of the previous readings, by host; updated.
    :param now: those of this reading, with C(None) for clusters without one.
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
    """Read the extensions of all hosts.

    :raises RuntimeError: if the inventory could not be read, with the message of C(ansible-inventory).
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
    # ansible-core 2.19 and later mark texts that are not templates.
    listed = json.loads(output, object_hook=lambda value: value.get("__ansible_unsafe", value))
    hosts = listed["_meta"]["hostvars"]
    return {host: one["azureml_cluster"]["extension"] for host, one in hosts.items() if "azureml_cluster" in one}


async def main(queue: asyncio.Queue, args: dict[str, Any]) -> None:
    """Report events until the task is cancelled. A reading that fails is logged, and repeated after the interval."""
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
