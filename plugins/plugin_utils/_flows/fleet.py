# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clusters of a play, deployed or verified in this process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.core import DELEGATED, host_variables
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.files import ControllerFiles
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import (
    RunContext,
    can_run_in_process,
    progress_interval,
    run_in_process,
    task_environment,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.progress import Progress
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.worker import prepared_worker
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.deploy import Deployment
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.scheduler import Stop, advance_all
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import ClusterSteps
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.verify import Verification
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.reading import NAMES, file_reader, templated

CHECK = "Check variables"


class Cluster:
    """A host of the play.

    :ivar apart: whether it needs tasks of its own, because modules have to run elsewhere.
    :ivar refusal: what is wrong with its variables.
    :ivar flow: its deployment or verification, C(None) where it is apart or refused.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.apart = False
        self.refusal = ""
        self.flow: Deployment | Verification | None = None

    @property
    def ended(self) -> bool:
        """Whether its flow has come to its end."""
        return self.flow.ended

    def advance(self) -> None:
        """Take the next phase of its flow."""
        self.flow.advance()

    def outcome(self) -> dict:
        """What has become of it, as module converge returns it."""
        if self.flow:
            return self.flow.outcome()
        return {
            "failed": True,
            "failed_step": CHECK,
            "changed": False,
            "as_wanted": False,
            "msg": f"{CHECK}: {self.refusal}",
            "pod_readiness": None,
            "computes": [],
            "steps": [],
        }


class Fleet:
    """All clusters of a play, or of its present batch.

    :param action: the task's.
    :param task_vars: the variables of the host that the task runs for.
    :param modules: the modules that a deployment takes, by name.
    :param argument_spec: what the variables of each host are checked against.
    :param begin: begins the flow of a cluster, by its options and with what takes its steps.
    """

    def __init__(
        self,
        action: ActionBase,
        task_vars: Mapping,
        modules: Mapping[str, ModuleSpec],
        argument_spec: Mapping,
        begin: Callable[[ClusterOptions, ClusterSteps], Deployment | Verification],
    ) -> None:
        self._action = action
        self._task_vars = task_vars
        self._modules = modules
        self._validator = ArgumentSpecValidator(argument_spec)
        self._names = tuple(dict.fromkeys([*NAMES, *argument_spec]))
        self._checked = frozenset(argument_spec)
        self._begin = begin
        self._stop = Stop()
        self._environ: Mapping[str, str] = {}

    def run(self, ended: Callable[[Cluster], None]) -> list[Cluster]:
        """Run the flows of all clusters but those that are apart.

        :param ended: is told each cluster that has ended or is refused.
        :returns: all of them.
        """
        environment = task_environment(self._action, self._action._templar)
        self._environ = {**os.environ, **environment}
        with (
            prepared_worker(environment),
            tempfile.TemporaryDirectory(prefix="azureml_arc_fleet_", dir=constants.DEFAULT_LOCAL_TMP) as directory,
        ):
            clusters = list(self._clusters(directory))
            for one in clusters:
                if one.refusal:
                    ended(one)
            try:
                advance_all([one for one in clusters if one.flow], self._task_vars["ansible_forks"], ended)
            except BaseException as error:
                self._stop.ask()
                if isinstance(error, SystemExit):
                    # While threads still write into it. They end with the process, which prepared_worker ends.
                    shutil.rmtree(directory, ignore_errors=True)
                raise
        return clusters

    def _clusters(self, directory: str) -> Iterator[Cluster]:
        task = self._action._task
        for name in self._task_vars["ansible_play_batch"]:
            variables = host_variables(task, name)
            variables[DELEGATED] = self._task_vars.get(DELEGATED, {})
            cluster = Cluster(name)
            self._prepare(cluster, variables, directory)
            yield cluster

    def _options(self, values: Mapping, read_file: Callable[[str], str]) -> ClusterOptions:
        """The options of modules for a cluster, by the variables of its host.

        :raises AzureMLError: where something is wrong with them.
        """
        checked = self._validator.validate({name: values[name] for name in self._checked & values.keys()})
        options = ClusterOptions(values, read_file)
        mistakes = checked.error_messages or options.mistakes
        if mistakes:
            raise AzureMLError("; ".join(mistakes))
        # Read here, in the only thread that Ansible's lookups may run in.
        options.openshift_scc()
        return options

    def _prepare(self, cluster: Cluster, variables: Mapping, directory: str) -> None:
        """Make ready to run the flow of a cluster, or say why not.

        :param variables: of its host, with templates in them.
        :param directory: takes files that must not outlive the task.
        """
        templar = self._action._templar.copy_with_new_env(available_variables=variables)
        try:
            values = templated(variables, templar, self._names)
            cluster.apart = values.get("azureml_kube_from") == "node" or not can_run_in_process(
                self._action, variables, templar
            )
            interval = progress_interval(variables, templar)
            if cluster.apart:
                return
            options = self._options(values, file_reader(variables, templar, self._action._loader))
        except (AnsibleError, AzureMLError) as error:
            cluster.refusal = str(error)
            return

        def run(module: str, given: dict, check_mode: bool) -> dict:
            context = RunContext(
                check_mode=check_mode,
                diff=bool(self._action._task.diff),
                tmpdir=directory,
                progress=Progress(cluster.name, interval, self._action._display.display),
                sleep=self._stop.sleep,
                environ=self._environ,
                files=ControllerFiles(self._action),
            )
            return run_in_process(module, self._modules[module], given, context)

        cluster.flow = self._begin(options, ClusterSteps(run, bool(self._action._task.check_mode)))
