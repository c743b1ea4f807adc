# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the time and memory to check a namespace with 5,000 pods on a real API server.

Also measures how soon a waiting task reports that the last pod is ready.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall, execute
from ansible_collections.azureml.arc.plugins.modules.pod_readiness import SPEC
from kubernetes.client import CoreV1Api

from control_plane import programs
from control_plane.nodes import status_of
from machine.programs import PROGRAMS

PODS = 5000
NAMESPACE = "azureml"
POD = {
    "nodeName": "node-0",
    "serviceAccountName": "jobs",
    "automountServiceAccountToken": False,
    "containers": [
        {
            "name": "job",
            "image": "mcr.microsoft.com/azureml/base:latest",
            "command": ["python", "train.py", "--epochs", "10"],
            "env": [{"name": f"AZUREML_VARIABLE_{index}", "value": "x" * 60} for index in range(20)],
            "resources": {"requests": {"cpu": "1", "memory": "4Gi"}},
        }
    ],
}


def fill(core: CoreV1Api) -> None:
    """Create running pods, as in a cluster that trains."""
    core.create_node({"metadata": {"name": POD["nodeName"]}})  # pods on a missing node are deleted
    core.create_namespace({"metadata": {"name": NAMESPACE}})
    core.create_namespaced_service_account(NAMESPACE, {"metadata": {"name": "jobs"}})

    def put(index: int) -> None:
        name = f"job-{index:05}"
        core.create_namespaced_pod(NAMESPACE, {"metadata": {"name": name, "labels": {"app": "job"}}, "spec": POD})
        set_state(core, name, "Running")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(PODS)))


def set_state(core: CoreV1Api, name: str, outcome: str) -> None:
    core.patch_namespaced_pod_status(name, NAMESPACE, {"status": status_of(["job"], outcome)})


def check(kubeconfig: str, **options) -> dict:
    """Run the module in this process."""
    given = {"kubeconfig": kubeconfig, "components": [], **options}
    parameters = ArgumentSpecValidator(SPEC.argument_spec, **SPEC.rules).validate(given).validated_parameters
    result = execute(SPEC, ModuleCall(parameters))
    if result.get("failed"):
        raise RuntimeError(result["msg"])
    return result


def measure(kubeconfig: str) -> dict:
    """Return the cost of one check. Megabytes are without those of the imports."""
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    summary = check(kubeconfig, wait=False)["summary"]
    seconds = time.perf_counter() - started
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"summary": summary, "seconds": seconds, "megabytes": megabytes}


def reaction_time(core: CoreV1Api, kubeconfig: str) -> float:
    """Return the seconds from the last pod becoming ready to the end of the task that waits for it."""
    set_state(core, "job-00000", "ContainerCreating")
    ready_at = []

    def finish() -> None:
        set_state(core, "job-00000", "Running")
        ready_at.append(time.perf_counter())

    timer = threading.Timer(6, finish)
    timer.start()
    assert check(kubeconfig, wait_timeout=60)["ready"]
    ended = time.perf_counter()
    timer.join()
    return max(0.0, ended - ready_at[0])


def main(directory: Path) -> int:
    folder = PROGRAMS["control plane"].find()
    if folder is None:
        print("5,000 pods: not measured without a control plane (see 'make control-plane')")
        return 0
    shutil.rmtree(directory, ignore_errors=True)
    with programs.running(folder, directory) as plane:
        core = CoreV1Api(plane.client())
        fill(core)
        kubeconfig = directory / "kubeconfig.json"
        kubeconfig.write_text(json.dumps(plane.kubeconfig()), encoding="utf-8")
        for _again in range(3):
            command = [sys.executable, __file__, "--measure", str(kubeconfig)]
            measured = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
            print("{summary}: {seconds:.2f} s, {megabytes:.0f} MB of memory".format(**measured))
        print(f"the last pod reported as ready after {reaction_time(core, str(kubeconfig)) * 1000:.0f} ms")
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--measure":
        print(json.dumps(measure(sys.argv[2])))
    else:
        sys.exit(main(Path(sys.argv[1]).resolve()))
