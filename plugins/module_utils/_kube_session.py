# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of one cluster's Kubernetes API.

Objects are plain dictionaries: making the client's models of them costs more than everything else.
"""

from __future__ import annotations

import json
import os
import tempfile
import traceback
from collections.abc import Callable, Iterator

from ansible_collections.azureml.arc.plugins.module_utils import _kube_config
from ansible_collections.azureml.arc.plugins.module_utils._errors import AzureMLError, first_line

try:
    # The package loads these classes when they are first named. Named here, the parent process loads them once, before
    # it forks its workers.
    from kubernetes.client import ApiClient, ApiException, AppsV1Api, CoreV1Api
    from kubernetes.config import kube_config
    from kubernetes.watch import Watch
    from urllib3 import exceptions as urllib3_errors
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
else:
    IMPORT_ERROR = _kube_config.IMPORT_ERROR

LIBRARIES = (("kubernetes", IMPORT_ERROR),)
PAGE_SIZE = 500
REQUEST_TIMEOUT = (10, 60)  # seconds to connect, and between two parts of an answer


class KubeSession:
    """Requests to one cluster.

    :param configuration: the client's configuration.
    :param files: the folder that holds the credentials' files; it is removed at the end.
    :param user: whom to act as, by impersonation.
    """

    def __init__(self, configuration, files: tempfile.TemporaryDirectory, user: str | None = None) -> None:
        self._files = files
        self.host = configuration.host
        self._client = ApiClient(configuration)
        if user:
            self._client.set_default_header("Impersonate-User", user)
        self._core = CoreV1Api(self._client)
        apps = AppsV1Api(self._client)
        self._listers = {
            "Pod": self._core.list_namespaced_pod,
            "Event": self._core.list_namespaced_event,
            "Deployment": apps.list_namespaced_deployment,
            "StatefulSet": apps.list_namespaced_stateful_set,
            "DaemonSet": apps.list_namespaced_daemon_set,
        }

    def __enter__(self) -> KubeSession:
        return self

    def __exit__(self, *exc_info) -> None:
        self._client.rest_client.pool_manager.clear()
        # The client's configuration loader remembers files by content; make it forget what goes away here.
        kube_config._cleanup_temp_files()
        self._files.cleanup()

    def namespace(self, name: str) -> dict | None:
        """A namespace, C(None) where it does not exist."""
        return self._find(f"namespace '{name}'", "get namespaces", lambda: self._core.read_namespace(name, **_RAW))

    def config_map(self, name: str, namespace: str) -> dict | None:
        """A ConfigMap, C(None) where it does not exist."""
        return self._find(
            f"ConfigMap '{name}' in namespace '{namespace}'",
            "get configmaps",
            lambda: self._core.read_namespaced_config_map(name, namespace, **_RAW),
        )

    def list(self, kind: str, namespace: str, **selectors: str) -> tuple[list[dict], str]:
        """All objects of a kind in a namespace, read in pages.

        :param selectors: C(field_selector) or C(label_selector).
        :returns: the objects, and the resource version to watch from.
        """
        objects, token = [], None
        what, verb = f"{kind}s in namespace '{namespace}'", f"list {kind.lower()}s"
        while True:
            page = self._read(
                what,
                verb,
                lambda token=token: self._listers[kind](
                    namespace, limit=PAGE_SIZE, _continue=token, **selectors, **_RAW
                ),
            )
            objects.extend(page["items"])
            token = page["metadata"].get("continue")
            if not token:
                return objects, page["metadata"].get("resourceVersion") or "0"

    def watch_pods(self, namespace: str, resource_version: str, seconds: int) -> Iterator[dict]:
        """Changes of pods as they happen, until C(seconds) have passed or the server ends the watch.

        A watch that breaks, or that the server cannot serve any more, ends as if time had passed: the caller reads anew
        in either case.

        :raises AzureMLError: where the account may not watch.
        """

        def list_pods(**kwargs):
            """List pods; without a documented type of return the watch yields plain dictionaries."""
            return self._core.list_namespaced_pod(namespace, **kwargs)

        watch = Watch()
        try:
            yield from watch.stream(
                list_pods,
                resource_version=resource_version,
                timeout_seconds=max(1, seconds),
                _request_timeout=(REQUEST_TIMEOUT[0], seconds + REQUEST_TIMEOUT[1]),
            )
        except ApiException as error:
            if error.status in (401, 403):
                raise _api_error(
                    self.host, f"changes of Pods in namespace '{namespace}'", "watch pods", error
                ) from error
        except (urllib3_errors.HTTPError, ValueError, KeyError):
            return
        finally:
            watch.stop()

    def _find(self, what: str, verb: str, request: Callable) -> dict | None:
        try:
            return self._read(what, verb, request)
        except AzureMLError as error:
            if error.status == 404:
                return None
            raise

    def _read(self, what: str, verb: str, request: Callable) -> dict:
        try:
            return json.loads(request().data)
        except ApiException as error:
            raise _api_error(self.host, what, verb, error) from error
        except urllib3_errors.HTTPError as error:
            raise _connection_error(self.host, what, error) from error
        except ValueError as error:
            raise AzureMLError(f"Reading {what} from {self.host}: the answer is not one of Kubernetes") from error


_RAW = {"_preload_content": False, "_request_timeout": REQUEST_TIMEOUT}


def open_session(call) -> KubeSession:
    """The session for a module call, from its connection options and the environment.

    :param call: the C(ModuleCall); credentials from a kubeconfig are kept out of its result.
    :raises AzureMLError: where the options do not lead to a cluster. Nothing is sent.
    """
    values = _kube_config.connection_values(call.params, os.environ)
    files = tempfile.TemporaryDirectory(prefix="azureml_arc_kube_", dir=call.tmpdir)
    try:
        configuration = _kube_config.configuration(values, files.name, call)
    except BaseException:
        files.cleanup()
        raise
    if not configuration.verify_ssl:
        call.warn(f"validate_certs is off: whoever sits between here and {configuration.host} can change everything")
    return KubeSession(configuration, files, values.get("impersonate_user"))


def _api_error(host: str, what: str, verb: str, error) -> AzureMLError:
    try:
        status = json.loads(error.body or "{}")
    except ValueError:
        status = {}
    hints = {
        401: "The credentials are not valid for this cluster: check kubeconfig, context or api_key.",
        403: f"The account may not {verb}: give it a Role with this verb and resource.",
    }
    return AzureMLError(
        f"Reading {what} from {host}: HTTP {error.status}: {status.get('message') or error.reason}",
        code=status.get("reason") or error.reason,
        status=error.status,
        hint=hints.get(error.status),
    )


def _connection_error(host: str, what: str, error: Exception) -> AzureMLError:
    cause = getattr(error, "reason", None) or error
    if "CERTIFICATE_VERIFY_FAILED" in str(cause) or isinstance(cause, urllib3_errors.SSLError):
        return AzureMLError(
            f"Reading {what} from {host}: its certificate cannot be verified: {first_line(cause)}",
            code="CertificateNotTrusted",
            hint="Give the CA that signed it as ca_cert, or in the kubeconfig.",
        )
    return AzureMLError(
        f"Reading {what}: the Kubernetes API at {host} cannot be reached: {first_line(cause)}",
        code="Unreachable",
        hint="Check host, proxy and the network between this machine and the cluster;"
        " with azureml_kube_from: node the request goes out from the node.",
    )
