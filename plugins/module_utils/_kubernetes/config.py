# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From connection options to a configuration of the Kubernetes client.

Options and environment variables are those of kubernetes.core, so that AWX's credential type "OpenShift or Kubernetes
API Bearer Token" works as it is.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies

from ansible_collections.azureml.arc.plugins.module_utils._core import environment
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.text import LONGEST_FILE
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.credential_files import FILES

try:
    import yaml
    from kubernetes.client import Configuration
    from kubernetes.config import (
        ConfigException,
        load_incluster_config,
        load_kube_config,
        load_kube_config_from_dict,
    )
    from kubernetes.config.kube_config import ENV_KUBECONFIG_PATH_SEPARATOR, KUBE_CONFIG_DEFAULT_LOCATION
    from urllib3 import Retry
    from urllib3.util import make_headers
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
    Retry = object
else:
    IMPORT_ERROR = None

# Any request is repeated: reading, removing and merging come to the same the second time, and of an object that exists
# already the session tells whether it is the one to create.
RETRIES = {
    "total": 6,
    "connect": 4,  # who cannot be reached is given up earlier
    "backoff_factor": 0.2,  # seconds
    "status_forcelist": (429, 500, 502, 503, 504),
    "allowed_methods": None,
}
LONGEST_RETRY_AFTER = 60  # seconds that a server can make us wait


class BoundedRetry(Retry):
    """Waits as the server asks, within bounds."""

    def get_retry_after(self, response) -> float | None:
        asked = super().get_retry_after(response)
        return asked and min(asked, LONGEST_RETRY_AFTER)


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
LOOPBACK = ("localhost", "127.0.0.1", "::1")
REACHES_OUT = ("exec", "auth-provider", "tokenFile")


def connection_values(options: Mapping, environ: Mapping[str, str]) -> dict:
    """The connection options that are set, by option first and by environment second."""
    given = {option: options[option] for option in ENVIRONMENT if options.get(option) not in (None, "")}
    values = {**environment.values(ENVIRONMENT, environ), **given}
    if isinstance(values.get("validate_certs"), str):
        values["validate_certs"] = values["validate_certs"].lower() not in ("0", "false", "no", "off")
    return values


def configuration(values: dict, directory: str, call):
    """The client's configuration.

    :param values: what C(connection_values) returned.
    :param directory: takes the files with certificates and keys that the client needs.
    :param call: the C(ModuleCall); credentials from a kubeconfig are kept out of its result.
    :raises AzureMLError: where the values do not lead to a cluster.
    """
    found = Configuration()
    # Releases of the client read the environment in different ways, or not at all.
    proxies = getproxies()
    found.proxy, found.no_proxy = proxies.get("https"), proxies.get("no")
    complete = values.get("host") and (values.get("api_key") or values.get("client_cert") or values.get("password"))
    if not complete:
        try:
            _load_kubeconfig(found, values, directory, call)
        except (ConfigException, OSError, yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
            named = "kubeconfig" if values.get("kubeconfig") else "kubeconfig (none is given)"
            raise AzureMLError(
                f"{named}: no cluster can be read from it: {first_line(error)}",
                hint="Give kubeconfig (and context), or host with api_key, or the K8S_AUTH_* environment variables.",
            ) from error
    _override(found, values)
    _require_tls(found.host)
    _keep_overridden(found, values)
    headers = {key: value for key, value in (call.params.get("proxy_headers") or {}).items() if value is not None}
    if headers:
        found.proxy_headers = make_headers(**headers)
    found.retries = BoundedRetry(raise_on_status=False, **RETRIES)
    return found


def _require_tls(host: str) -> None:
    """Refuse to send credentials in clear text, unless what listens is on this machine, as C(kubectl proxy) is."""
    address = urlsplit(host)
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOOPBACK):
        raise AzureMLError(
            f"host '{host}' is not an https address: who listens on the way would learn the credentials",
            hint="Give the address of the Kubernetes API with https.",
        )


def _override(found, values: dict) -> None:
    """Set what the options say, whatever a kubeconfig has said."""
    for option, attribute in ATTRIBUTES.items():
        if option in values:
            setattr(found, attribute, values[option])
    found.host = found.host.rstrip("/")
    if values.get("api_key"):
        found.api_key = {"authorization": f"Bearer {values['api_key']}"}


def _keep_overridden(found, values: dict) -> None:
    """Let options stand: before each request the client reads its token, and with it all else, from the kubeconfig."""
    refresh = found.refresh_api_key_hook
    if refresh is None:
        return

    def refresh_and_override(configuration) -> None:
        refresh(configuration)  # which puts itself back as the hook
        _override(configuration, values)
        configuration.refresh_api_key_hook = refresh_and_override

    found.refresh_api_key_hook = refresh_and_override


def _load_kubeconfig(found, values: dict, directory: str, call) -> None:
    kubeconfig, context = values.get("kubeconfig"), values.get("context")
    if not kubeconfig and not context:
        try:
            load_incluster_config(client_configuration=found)
        except ConfigException:
            pass  # not in a pod
        else:
            return
    if _is_inline(kubeconfig):
        content = _parsed(kubeconfig)
        _refuse_reaching_out(content)
        for user in content.get("users") or ():
            call.hide(*(user.get("user", {}).get(name) for name in SECRET_FIELDS))
        FILES.write(content, context, directory)
        load_kube_config_from_dict(content, context=context, client_configuration=found, temp_file_path=directory)
        return
    path = os.path.expanduser(kubeconfig) if kubeconfig else None
    FILES.write(_content(path or KUBE_CONFIG_DEFAULT_LOCATION), context, directory)
    load_kube_config(path, context=context, client_configuration=found, persist_config=False, temp_file_path=directory)


def _content(path: str) -> dict:
    """What the kubeconfigs of a path, which may be several, hold; what is wrong with one is for the client to say."""
    whole: dict = {}
    for one in path.split(ENV_KUBECONFIG_PATH_SEPARATOR):
        try:
            with open(one, encoding="utf-8") as file:
                content = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except (OSError, ValueError, yaml.YAMLError, RecursionError):
            continue
        for name, value in content.items() if isinstance(content, dict) else ():
            if isinstance(value, list):
                whole[name] = [*whole.get(name, ()), *value]
            else:
                whole.setdefault(name, value)
    return whole


def _parsed(kubeconfig) -> dict:
    """An inline kubeconfig as a mapping."""
    if isinstance(kubeconfig, dict):
        return kubeconfig
    if len(kubeconfig) > LONGEST_FILE:
        raise ValueError(f"it is longer than {LONGEST_FILE} characters")
    try:
        return yaml.safe_load(kubeconfig)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse_reaching_out(content: dict) -> None:
    """Refuse what would run a program of this machine, or send a file of it to the cluster as a token.

    A file is as trusted as its folder. Inline content comes from inventories, surveys and lookups, so from people who
    may not be allowed to do either.
    """
    for user in content.get("users") or ():
        found = [name for name in REACHES_OUT if (user.get("user") or {}).get(name)]
        if found:
            raise AzureMLError(
                f"kubeconfig: user '{user.get('name')}' has {', '.join(found)}, which an inline one may not have",
                hint="It would run a program of this machine, or read a file of it. Give the path of a kubeconfig file"
                " instead, or a token.",
            )


def _is_inline(kubeconfig) -> bool:
    return isinstance(kubeconfig, dict) or (
        isinstance(kubeconfig, str) and (kubeconfig.lstrip().startswith("{") or "\n" in kubeconfig)
    )
