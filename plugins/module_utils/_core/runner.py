# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the collection's modules, as ordinary modules or in the controller's worker.

A module names a C(ModuleSpec) and calls C(run_module); its action plugin takes the same C(ModuleSpec). Both end in
C(execute), which turns a C(ModuleCall) into a result, so that both behave alike.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.azureml.arc.plugins.module_utils._core import secrets
from ansible_collections.azureml.arc.plugins.module_utils._core.connections import Connections
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.files import Files, read
from ansible_collections.azureml.arc.plugins.module_utils._core.options import is_inline
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import (
    Deadline,
    Waiting,
    wait_here,
    waiting,
)
from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable


class NoCache:
    """A cache without entries, for a process that shares nothing."""

    def get_or_create(
        self, key: str, create: Callable[[], dict], margin: float, is_good: Callable[[dict], bool] = lambda entry: True
    ) -> dict:
        """Return the entry C(key), if it C(is_good) and lasts C(margin) more seconds, else what C(create) returns.

        Entries are dictionaries that JSON can hold, with C(expires_on) in seconds since 1970.
        """
        return create()


@dataclass
class ModuleCall:
    """One call of a module.

    :param params: the options, validated, with defaults.
    :param cache: shares tokens between the tasks of a run.
    :param tmpdir: a folder of the run for files that must not outlive it.
    :param progress: shows a line on the console during a wait.
    :param clock: seconds since some start.
    :param sleep: waits for seconds.
    :param files: finds and reads the files that options name.
    :param can_block: whether a wait may block the thread.
    :param connections: keeps clients for the other calls of the task.
    :param known: resources of Azure that earlier calls for the same cluster have read, see C(KnownResources).
    :param environ: the environment variables; those of the task, which other threads of the process need not have.
    """

    params: dict
    check_mode: bool = False
    diff: bool = False
    cache: object = field(default_factory=NoCache)
    tmpdir: str | None = None
    progress: Callable[[str], None] = lambda line: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    files: Files = field(default_factory=Files)
    can_block: bool = True
    connections: Connections = field(default_factory=Connections)
    known: dict = field(default_factory=dict)
    warnings: list = field(default_factory=list)
    secrets: set = field(default_factory=set)

    def read_file(self, option: str, path: str) -> bytes:
        """Return the content of a file that an option names."""
        return read(option, path, self.files)

    def deadline(self, seconds: float) -> Deadline:
        """Return a deadline that starts now and shows progress."""
        return Deadline(seconds, self.clock, self.sleep, self.progress)

    def warn(self, message: str) -> None:
        """Add a warning to the result."""
        self.warnings.append(printable(message))

    def hide(self, *values: str) -> None:
        """Hide values in the result that the module received, in addition to its own options."""
        self.secrets.update(value for value in values if value and isinstance(value, str))


@dataclass(frozen=True)
class ModuleSpec:
    """The options, libraries and function of a module.

    :param run: takes a C(ModuleCall), returns the result or a generator that waits for it, raises C(AzureMLError).
    :param libraries: the libraries it needs, as (name, the traceback of a failed import or C(None)).
    :param rules: C(required_if), C(mutually_exclusive) and the like, as C(AnsibleModule) takes them.
    """

    run: Callable[[ModuleCall], dict | Waiting[dict]]
    argument_spec: dict
    libraries: tuple = ()
    rules: dict = field(default_factory=dict)


def require(libraries: tuple) -> None:
    """Check that libraries are installed, given as in C(ModuleSpec).

    :raises AzureMLError: naming the first missing one, and the Python that lacks it.
    """
    for library, import_error in libraries:
        if import_error:
            raise AzureMLError(missing_required_lib(library), code="MissingLibrary", exception=import_error)


def execute(spec: ModuleSpec, call: ModuleCall) -> dict:
    """Run a module, including its waits; a failure is a result with C(failed)."""
    return wait_here(start(spec, call), call.sleep)


def start(spec: ModuleSpec, call: ModuleCall) -> Waiting[dict]:
    """Run a module as a generator of its waits; returns the result of C(execute)."""
    try:
        require(spec.libraries)
        return (yield from waiting(spec.run(call)))
    except AzureMLError as error:
        return {"failed": True, "changed": False, **error.as_result()}
    except Exception as error:  # unexpected, such as a response outside the specification
        message = f"Unexpected {type(error).__name__}: {printable(first_line(error))}. Please report it."
        return {"failed": True, "changed": False, "msg": message, "exception": traceback.format_exc()}


def run_module(spec: ModuleSpec) -> None:
    """The C(main) of every module: run in this process and exit with the result."""
    module = AnsibleModule(argument_spec=spec.argument_spec, supports_check_mode=True, **spec.rules)
    call = ModuleCall(module.params, module.check_mode, module._diff, tmpdir=module.tmpdir)
    secrets.register(secrets.secret_values(spec.argument_spec, call.params))
    with call.connections:
        result = execute(spec, call)
    secrets.register(call.secrets)
    module.no_log_values.update(call.secrets)
    kubeconfig = call.params.get("kubeconfig")
    if isinstance(kubeconfig, str) and not is_inline(kubeconfig):
        module.no_log_values.discard(kubeconfig)  # a path, which errors name
    for warning in call.warnings:
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
