# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pods of a job in the cluster."""

from __future__ import annotations

import contextlib

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall, require
from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession
from ansible_collections.azureml.arc.plugins.module_utils._readiness.events import latest_warnings
from ansible_collections.azureml.arc.plugins.module_utils._readiness.pods import pod_row

# The label of a pod that contains the name of its job, beside ml.azure.com/compute and ml.azure.com/workspace. Source:
# the manifest of a pod in "Kubernetes pro velka data a strojove uceni", https://www.tomaskubica.cz of 2022-07-12, with
# extension 1.1.6.
RUN_ID = "ml.azure.com/run-id"


class JobPods:
    """The pods of a job. An error while they are read is a warning: the status of the job comes from Azure.

    :param call: the module call, with its connection options.
    :param namespace: the namespace of the compute.
    :ivar node: the node of the last pod that was read, empty if there was none.
    :ivar rows: the pods as they were read last, C(None) if they could not be read.
    """

    def __init__(self, call: ModuleCall, namespace: str) -> None:
        self._call = call
        self._namespace = namespace
        self._stack = contextlib.ExitStack()
        self._session: KubeSession | None = None
        self._given_up = not call.params["inspect_pods"]
        self.node = ""
        self.rows: list[dict] | None = None

    def __enter__(self) -> JobPods:
        return self

    def __exit__(self, *exc_info) -> None:
        self._stack.close()

    def read(self, job: str) -> None:
        """Read the pods of a job. When all of them have been deleted, the last rows are kept."""
        if self._given_up:
            return
        try:
            found = self._connect().list("Pod", self._namespace, label_selector=f"{RUN_ID}={job}")[0]
        except AzureMLError as error:
            self._give_up(error)
            return
        rows = [pod_row(pod) for pod in found]
        if rows or self.rows is None:
            self.rows = rows
        self.node = next((row["node"] for row in rows if row["node"]), self.node)

    def explain(self) -> None:
        """Add the latest warning event of each pod that is not ready to its message."""
        if self._given_up or not self.rows:
            return
        warnings = latest_warnings(self._call, self._connect(), self._namespace)
        for row in self.rows:
            warning = printable(warnings.get(row["name"], {}).get("message"))
            if not row["ready"] and warning not in row["message"]:
                row["message"] = "; ".join(filter(None, (row["message"], warning)))

    def summary(self) -> str:
        """Return the pods as text for progress lines, empty if none is known."""
        return ", ".join(f"pod {row['name']} {row['reason'] or row['phase']}" for row in self.rows or ())

    def _connect(self) -> KubeSession:
        if self._session is None:
            require(kubernetes_client.LIBRARIES)
            self._session = self._stack.enter_context(kubernetes_client.open_session(self._call))
        return self._session

    def _give_up(self, error: AzureMLError) -> None:
        self._given_up = True
        self._call.warn(f"The diagnosis does not include the pods of the job: {error}")
