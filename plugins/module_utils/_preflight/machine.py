# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check whether the machine of a node meets the requirements of AzureML. Read-only; runs on the machine itself.

Sources: https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension, on OpenShift, and
https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction for the free disk.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.findings import ERROR, WARNING, Finding, refuse_serious
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._core.values import require_positive
from ansible_collections.azureml.arc.plugins.module_utils._preflight.outbound import addresses

CHECKS = ("disk", "nvidia", "outbound", "selinux")
# A kubelet evicts pods if less is free on the disk of images.
LEAST_FREE = 0.15
GIBIBYTE = 2**30
TRIED_AT_ONCE = 16
COMMAND_SECONDS = 30
NVIDIA_RUNTIMES = ("nvidia-container-runtime", "nvidia-ctk")


@dataclass(frozen=True)
class Machine:
    """The facts of a machine.

    :param selinux: C(Enforcing), C(Permissive) or C(Disabled).
    :param nvidia_driver: the driver's version, empty if there is none.
    :param disks: free and all bytes by path.
    :param unreachable: why an address cannot be reached, by address.
    """

    selinux: str
    nvidia_driver: str
    nvidia_runtime: str
    disks: Mapping[str, tuple[int, int]]
    unreachable: Mapping[str, str]


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.node_preflight)."""
    params = call.params
    require_positive("timeout", params["timeout"])
    tried = addresses(params) if "outbound" not in params["skip_checks"] else {}
    machine = facts_of(params, tried)
    findings = sorted(check(machine, params, tried), key=lambda finding: finding.rank)
    result = {
        "changed": False,
        "passed": not any(finding.level == ERROR for finding in findings),
        "findings": [asdict(finding) for finding in findings],
        "selinux": machine.selinux,
        "nvidia_driver": machine.nvidia_driver,
        "nvidia_runtime": machine.nvidia_runtime,
        "addresses": list(tried),
    }
    refuse_serious(findings, params["fail_on"], "the machine is not ready", result, call.warn)
    return result


def facts_of(params: Mapping, tried: Mapping[str, str]) -> Machine:
    """Read the facts of this machine."""
    with ThreadPoolExecutor(TRIED_AT_ONCE) as pool:
        reasons = pool.map(lambda address: _why_unreachable(address, params["timeout"]), tried)
        unreachable = {address: why for address, why in zip(tried, reasons) if why}
    disks = {}
    for path in params["disk_paths"]:
        if Path(path).exists():
            usage = shutil.disk_usage(path)
            disks[path] = (usage.free, usage.total)
    driver = _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    return Machine(
        selinux=_output("getenforce") or "Disabled",
        nvidia_driver=driver.partition("\n")[0],
        nvidia_runtime=next((one for one in NVIDIA_RUNTIMES if shutil.which(one)), ""),
        disks=disks,
        unreachable=unreachable,
    )


def check(machine: Machine, params: Mapping, tried: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the findings about a machine. Pure."""
    skipped = params["skip_checks"]
    if params["datasets"] and machine.selinux == "Enforcing" and "selinux" not in skipped:
        yield Finding(
            "selinux",
            ERROR,
            "SELinux is enforcing, which prevents jobs from mounting datasets.",
            "Set it to permissive or disabled.",
        )
    if params["gpu"] and "nvidia" not in skipped:
        if not machine.nvidia_driver:
            yield Finding("nvidia", ERROR, "the NVIDIA driver does not respond (nvidia-smi).", "Install the driver.")
        if not machine.nvidia_runtime:
            yield Finding(
                "nvidia", ERROR, "the NVIDIA container runtime is missing.", "Install the NVIDIA Container Toolkit."
            )
    if "disk" not in skipped:
        yield from _check_disks(machine, params["minimum_free_disk"])
    for address, why in machine.unreachable.items():
        yield Finding(
            "outbound",
            ERROR,
            f"{address} ({tried[address]}) cannot be reached: {why}.",
            "Open the firewall, or set HTTPS_PROXY and NO_PROXY.",
        )


def _check_disks(machine: Machine, minimum: int | None) -> Iterator[Finding]:
    for path, (free, total) in machine.disks.items():
        amount = f"{free / GIBIBYTE:.1f} of {total / GIBIBYTE:.1f} GiB are free in {path}"
        if minimum is not None and free < minimum * GIBIBYTE:
            yield Finding("disk", ERROR, f"{amount}, but {minimum} GiB are required.", "Free or add disk space.")
        elif total and free < LEAST_FREE * total:
            yield Finding(
                "disk", WARNING, f"{amount}; pods are evicted below {LEAST_FREE:.0%}.", "Free or add disk space."
            )


def _output(*command: str) -> str:
    """Return the output of a command, empty if it is missing or fails."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=COMMAND_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace").strip()


def _why_unreachable(address: str, seconds: int) -> str:
    """Return why an address cannot be reached, empty if it can; any HTTP response counts."""
    try:
        open_url(address, method="HEAD", timeout=seconds, follow_redirects="none").close()
    except HTTPError as error:
        error.close()
    except Exception as error:  # any error of the network, a proxy or TLS
        return first_line(getattr(error, "reason", None) or error)
    return ""
