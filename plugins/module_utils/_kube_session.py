# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of one cluster's Kubernetes API.

Connection options and their environment variables are those of kubernetes.core, so that AWX's credential type
"OpenShift or Kubernetes API Bearer Token" works as it is. Objects are plain dictionaries: making the client's models of
them costs more than everything else.
"""

from __future__ import annotations

import json
import os
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._errors import AzureMLError

try:
    import yaml

    # The package loads these classes when they are first named. Named here, the parent process loads them once, before
    # it forks its workers.
    from kubernetes.client import ApiClient, ApiException, AppsV1Api, Configuration, CoreV1Api
    from kubernetes.config import (
        ConfigException,
        kube_config,
        load_incluster_config,
        load_kube_config,
        load_kube_config_from_dict,
    )
    from kubernetes.watch import Watch
    from urllib3 import Retry
    from urllib3 import exceptions as urllib3_errors
    from urllib3.util import make_headers
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
else:
    IMPORT_ERROR = None

LIBRARIES = (("kubernetes", IMPORT_ERROR),)
PAGE_SIZE = 500
REQUEST_TIMEOUT = (10, 60)  # seconds to connect, and between two parts of an answer
RETRIES = 3
RETRY_STATUSES = (429, 500, 502, 503, 504)

# Option, and the environment variables that stand in for it; the first one that is set counts.
ENVIRONMENT = {
    "host": ("K8S_AUTH_HOST",),
    "api_key": ("K8S_AUTH_API_KEY",),
    "username": ("K8S_AUTH_USERNAME",),
    "password": ("K8S_AUTH_PASSWORD",),
    "client_cert": ("K8S_AUTH_CERT_FILE", "K8S_AUTH_CLIENT_CERT"),
    "client_key": ("K8S_AUTH_KEY_FILE", "K8S_AUTH_CLIENT_KEY"),
    "ca_cert": ("K8S_AUTH_SSL_CA_CERT", "K8S_AUTH_CA_CERT"),
    "validate_certs": ("K8S_AUTH_VERIFY_SSL", "K8S_AUTH_VALIDATE_CERTS"),
    "proxy": ("K8S_AUTH_PROXY",),
    "no_proxy": ("K8S_AUTH_NO_PROXY",),
    "kubeconfig": ("K8S_AUTH_KUBECONFIG",),
    "context": ("K8S_AUTH_CONTEXT",),
    "impersonate_user": ("K8S_AUTH_IMPERSONATE_USER",),
}
# Option, and the attribute of the client's configuration that it sets.
ATTRIBUTES = {
    "host": "host",
    "username": "username",
    "password": "password",
    "client_cert": "cert_file",
    "client_key": "key_file",
    "ca_cert": "ssl_ca_cert",
    "validate_certs": "verify_ssl",
    "proxy": "proxy",
    "no_proxy": "no_proxy",
}
SECRET_FIELDS = ("token", "password", "client-key-data")


def connection_values(options: Mapping, environ: Mapping[str, str]) -> dict:
    """The connection options that are set, by option first and by environment second."""
    values = {}
    for option, names in ENVIRONMENT.items():
        value = options.get(option)
        if value in (None, ""):
            value = next((environ[name] for name in names if environ.get(name)), None)
        if value is not None:
            values[option] = value
    if isinstance(values.get("validate_certs"), str):
        values["validate_certs"] = values["validate_certs"].lower() not in ("0", "false", "no", "off")
    return values


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
        try:
            return self._read(f"namespace '{name}'", "get namespaces", lambda: self._core.read_namespace(name, **_RAW))
        except AzureMLError as error:
            if error.status == 404:
                return None
            raise

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

        A watch that the server cannot serve any more ends as if time had passed: the caller reads anew in either case.
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
        except (ApiException, urllib3_errors.HTTPError, ValueError, KeyError):
            return
        finally:
            watch.stop()

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
    values = connection_values(call.params, os.environ)
    files = tempfile.TemporaryDirectory(prefix="azureml_arc_kube_", dir=call.tmpdir)
    try:
        configuration = _configuration(values, files.name, call)
    except BaseException:
        files.cleanup()
        raise
    if not configuration.verify_ssl:
        call.warn(f"validate_certs is off: whoever sits between here and {configuration.host} can change everything")
    return KubeSession(configuration, files, values.get("impersonate_user"))


def _configuration(values: dict, directory: str, call):
    configuration = Configuration()
    complete = values.get("host") and (values.get("api_key") or values.get("client_cert") or values.get("password"))
    if not complete:
        try:
            _load_kubeconfig(configuration, values, directory, call)
        except (ConfigException, OSError, yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
            named = "kubeconfig" if values.get("kubeconfig") else "kubeconfig (none is given)"
            raise AzureMLError(
                f"{named}: no cluster can be read from it: {_first_line(error)}",
                hint="Give kubeconfig (and context), or host with api_key, or the K8S_AUTH_* environment variables.",
            ) from error
    for option, attribute in ATTRIBUTES.items():
        if option in values:
            setattr(configuration, attribute, values[option])
    configuration.host = configuration.host.rstrip("/")
    if values.get("api_key"):
        configuration.api_key = {"authorization": f"Bearer {values['api_key']}"}
    headers = {key: value for key, value in (call.params.get("proxy_headers") or {}).items() if value is not None}
    if headers:
        configuration.proxy_headers = make_headers(**headers)
    configuration.retries = Retry(
        total=RETRIES, connect=RETRIES, backoff_factor=0.3, status_forcelist=RETRY_STATUSES, raise_on_status=False
    )
    return configuration


def _load_kubeconfig(configuration, values: dict, directory: str, call) -> None:
    kubeconfig, context = values.get("kubeconfig"), values.get("context")
    if not kubeconfig and not context:
        try:
            load_incluster_config(client_configuration=configuration)
        except ConfigException:
            pass  # not in a pod
        else:
            return
    if _is_inline(kubeconfig):
        content = yaml.safe_load(kubeconfig) if isinstance(kubeconfig, str) else kubeconfig
        for user in content.get("users") or ():
            call.hide(*(user.get("user", {}).get(name) for name in SECRET_FIELDS))
        load_kube_config_from_dict(
            content, context=context, client_configuration=configuration, temp_file_path=directory
        )
        return
    path = os.path.expanduser(kubeconfig) if kubeconfig else None
    load_kube_config(
        path, context=context, client_configuration=configuration, persist_config=False, temp_file_path=directory
    )


def _is_inline(kubeconfig) -> bool:
    return isinstance(kubeconfig, dict) or (
        isinstance(kubeconfig, str) and (kubeconfig.lstrip().startswith("{") or "\n" in kubeconfig)
    )


def _api_error(host: str, what: str, verb: str, error) -> AzureMLError:
    try:
        status = json.loads(error.body or "{}")
    except ValueError:
        status = {}
    hints = {
        401: "The credentials are not valid for this cluster: check kubeconfig, context or api_key.",
        403: f"The account may not {verb}: grant it, for instance by the Role in the collection's documentation.",
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
            f"Reading {what} from {host}: its certificate cannot be verified: {_first_line(cause)}",
            code="CertificateNotTrusted",
            hint="Give the CA that signed it as ca_cert, or in the kubeconfig.",
        )
    return AzureMLError(
        f"Reading {what}: the Kubernetes API at {host} cannot be reached: {_first_line(cause)}",
        code="Unreachable",
        hint="Check host, proxy and the network between this machine and the cluster;"
        " with azureml_kube_from: node the request goes out from the node.",
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
