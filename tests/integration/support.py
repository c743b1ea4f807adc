# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Functions that the integration tests share."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall, ModuleSpec, execute
from azure.identity import ClientSecretCredential

# Time passes faster for modules by this factor, so that tests do not wait for their pauses. Timeouts do, too.
PACE = 20


class ModuleFailedError(AssertionError):
    """A failed module.

    :ivar result: the result of the module.
    """

    def __init__(self, result: dict) -> None:
        super().__init__(result["msg"])
        self.result = result


def run_module_work(
    directory: Path,
    spec: ModuleSpec,
    check_mode: bool = False,
    diff: bool = False,
    pace: float = PACE,
    shared: Mapping[str, object] | None = None,
    **options: object,
) -> dict:
    """Run a module with the options of a task.

    :param directory: for temporary files of the module.
    :param pace: factor by which time passes faster for the module.
    :param shared: C(connections) and C(cache) of the task.
    :returns: its result, including warnings.
    :raises ModuleFailedError: if it fails.
    """
    validation = ArgumentSpecValidator(spec.argument_spec, **spec.rules).validate(options)
    if validation.error_messages:
        raise ModuleFailedError({"msg": validation.errors.msg})
    call = ModuleCall(
        validation.validated_parameters,
        check_mode,
        diff,
        tmpdir=str(directory),
        clock=lambda: time.monotonic() * pace,
        sleep=lambda seconds: time.sleep(seconds / pace),
        **(shared or {}),
    )
    result = {**execute(spec, call), "warnings": call.warnings}
    if result.get("failed"):
        raise ModuleFailedError(result)
    return result


def credential(simulator) -> ClientSecretCredential:
    """Return the credential of the SDK for a simulator."""
    environment = simulator.environment
    return ClientSecretCredential(
        environment["AZURE_TENANT"],
        environment["AZURE_CLIENT_ID"],
        environment["AZURE_SECRET"],
        authority=simulator.endpoint,
        disable_instance_discovery=True,
        connection_verify=simulator.ca,
    )


def requests_to(simulator, method: str, part: str) -> list[dict]:
    """Return the requests of a method whose path contains C(part), in any case."""
    return [one for one in simulator.journal() if one["method"] == method and part.lower() in one["path"].lower()]


def writes(simulator) -> list[tuple[str, str]]:
    """Return method and path of all requests that create, change or delete a resource in Azure."""
    return [(one["method"], one["path"]) for one in simulator.journal() if one["method"] in ("PUT", "PATCH", "DELETE")]


def about(simulator, *names: str) -> list[str]:
    """Return the paths of requests about clusters."""
    return [one["path"] for one in simulator.journal() if any(f"/{name}" in one["path"] for name in names)]


def processes_of(directory: Path) -> list[Path]:
    """Return the processes with a folder as working directory or in their arguments, as folders below /proc."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # the process has ended
            named = os.fsencode(directory) in (process / "cmdline").read_bytes()
            if named or (process / "cwd").readlink().is_relative_to(directory):
                found.append(process)
    return found


def run_coroutine(work: Coroutine) -> object:
    """Run a coroutine in another thread: in the main thread, the browser of other tests has an event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def wait_for(attempt: Callable, seconds: float = 30) -> object:
    """Call a function until it returns a true value, and return that value.

    :raises Exception: the exception of the last attempt, or C(AssertionError), after the timeout.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            found = attempt()
        except Exception:  # for instance an object that does not exist yet
            if time.monotonic() > end:
                raise
        else:
            if found or time.monotonic() > end:
                assert found
                return found
        time.sleep(0.1)
