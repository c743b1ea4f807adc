# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has become of the AzureML extensions of a fleet: an event source of ansible-rulebook."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from typing import Any

DOCUMENTATION = r"""
short_description: The AzureML extensions of a fleet that have failed, changed or gone
description:
  - Looks at all clusters of an inventory again and again, and tells of extensions that are other than at the last look.
  - Clusters are those of inventory plugin P(azureml.arc.clusters#inventory), so a look at a thousand clusters is two
    requests to Azure Resource Graph. It signs in as that plugin does, and lags behind Azure by minutes as it does.
  - The first look tells of those that have failed. While an operation runs nothing is told.
options:
  inventory:
    description: Path of the configuration file of the inventory, that of AWX's inventory source.
    type: path
    required: true
  interval:
    description: Seconds between two looks.
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
    - V(extension_failed) where its operation has failed, V(extension_changed) where version, release train or settings
      are other than before, V(extension_missing) where it has gone.
  type: str
host:
  description: Name of the host, to limit a job to.
  type: str
changed:
  description: Names of what is other than at the last look.
  type: list
extension:
  description: The extension as hosts have it in C(azureml_cluster.extension), none where it has gone.
  type: dict
"""

INTERVAL = 300.0
# An operation runs in every other state; what it leads to is told when it has ended. As in plugins/module_utils/_azure/
# states.py, which ansible-rulebook cannot import: it runs this file by its path.
SETTLED = ("Succeeded", "Failed", "Canceled")

logger = logging.getLogger(__name__)


def events(before: dict[str, dict], now: dict[str, dict | None]) -> list[dict[str, Any]]:
    """What to tell of a look. Pure, but for what it remembers.

    :param before: the extensions of the looks before, by host; brought up to date.
    :param now: those of this look, with C(None) for clusters without one.
    """
    found = []
    for host, extension in now.items():
        last = before.get(host)
        if extension is None:
            if before.pop(host, None):
                found.append({"reason": "extension_missing", "host": host, "changed": [], "extension": None})
            continue
        if extension["provisioning_state"] not in SETTLED:
            continue
        before[host] = extension
        changed = sorted(name for name, value in extension.items() if last and last.get(name) != value)
        failed = extension["provisioning_state"] != "Succeeded"
        if changed or (failed and not last):
            reason = "extension_failed" if failed else "extension_changed"
            found.append({"reason": reason, "host": host, "changed": changed, "extension": extension})
    return found


async def look(inventory: str) -> dict[str, dict | None]:
    """The extensions of all hosts.

    :raises RuntimeError: where the inventory could not be read; the text is what C(ansible-inventory) says.
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
    # ansible-core 2.19 and later mark texts that are no template.
    listed = json.loads(output, object_hook=lambda value: value.get("__ansible_unsafe", value))
    hosts = listed["_meta"]["hostvars"]
    return {host: one["azureml_cluster"]["extension"] for host, one in hosts.items() if "azureml_cluster" in one}


async def main(queue: asyncio.Queue, args: dict[str, Any]) -> None:
    """Tell of extensions until somebody ends it. A look that fails is logged, and the next one tells."""
    inventory, interval = args["inventory"], float(args.get("interval", INTERVAL))
    before: dict[str, dict] = {}
    while True:
        try:
            found = events(before, await look(inventory))
        except RuntimeError as error:
            logger.warning("clusters could not be read: %s", error)
        else:
            for event in found:
                await queue.put(event)
        await asyncio.sleep(interval)
