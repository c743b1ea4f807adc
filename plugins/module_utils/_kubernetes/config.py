# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert connection options to a configuration of the Kubernetes client.

Options and environment variables are those of kubernetes.core, so that AWX's credential type "OpenShift or Kubernetes
API Bearer Token" works unchanged.
"""

from __future__ import annotations

import ssl
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.azureml.arc.plugins.module_utils._core import environment
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.options import SELECTORS, is_inline
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import kubeconfig
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.addresses import (
    is_loopback,
    refuse_another_cluster,
    require_proxy,
    require_tls,
)
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.credential_files import CredentialFiles

try:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_incluster_config, load_kube_config_from_dict
    from urllib3 import Retry
    from urllib3.exceptions import SSLError
    from urllib3.util import make_headers
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
    Retry = object
else:
    IMPORT_ERROR = kubeconfig.IMPORT_ERROR

# All requests are repeated: reading, removing and merging are idempotent, and the session checks whether an existing
# object is the one to create.
RETRIES = {
    "total": 6,
    "connect": 4,  # an unreachable server is given up earlier
    "backoff_factor": 0.2,  # seconds
    "status_forcelist": (429, 500, 502, 503, 504),
    "allowed_methods": None,
}
LONGEST_RETRY_AFTER = 60  # longest C(Retry-After) to honour, in seconds


class BoundedRetry(Retry):
    """Honour C(Retry-After), up to a limit, and give up at once if the certificate of the server cannot be verified."""

    def increment(self, method=None, url=None, response=None, error=None, *args, **kwargs) -> Retry:
        is_final = isinstance(error, SSLError) and isinstance(error.args[0], ssl.SSLCertVerificationError)
        left = self.new(total=0) if is_final else self
        return Retry.increment(left, method, url, response, error, *args, **kwargs)

    def get_retry_after(self, response) -> float | None:
        seconds = super().get_retry_after(response)
        return seconds and min(seconds, LONGEST_RETRY_AFTER)


# Options and their environment variables; the first one that is set counts.
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
# Options and the attributes of the client's configuration that they set.
ATTRIBUTES = {
    "host": "host",
    "username": "username",
    "password": "password",
    "client_cert": "cert_file",
    "client_key": "key_file",
    "ca_cert": "ssl_ca_cert",
    "validate_certs": "verify_ssl",
}
FILES = ("client_cert", "client_key", "ca_cert")
NETWORK = ("proxy", "no_proxy")
SECRET_FIELDS = ("token", "password", "client-key-data")
DEFAULT_KUBECONFIG = "~/.kube/config"


@dataclass(frozen=True)
class Connection:
    """The connection to a cluster.

    :ivar values: the options that are set, by option first and by environment second.
    :ivar own: the names of those that are set by option.
    """

    values: dict
    own: frozenset

    @property
    def names_kubeconfig(self) -> bool:
        """Whether options select a kubeconfig or a context."""
        return not self.own.isdisjoint(("kubeconfig", "context"))

    @property
    def needs_kubeconfig(self) -> bool:
        """Whether a kubeconfig, or the service account of a pod, must complete it."""
        if self.names_kubeconfig or "host" in self.own:
            return self.names_kubeconfig
        credentials = ("api_key", "client_cert", "password")
        return not (self.values.get("host") and any(self.values.get(name) for name in credentials))


def connection(options: Mapping, environ: Mapping[str, str]) -> Connection:
    """Return the connection to a cluster.

    Options that select a cluster replace the C(K8S_AUTH_*) variables as a whole: a token or an address for another
    cluster must not complete them. Without these options, each variable sets its option.
    """
    own = {name: options[name] for name in ENVIRONMENT if options.get(name) not in (None, "")}
    variables = environment.values(ENVIRONMENT, environ)
    if not own.keys().isdisjoint(SELECTORS):
        kept = NETWORK if {"kubeconfig", "host"} & own.keys() else (*NETWORK, "kubeconfig")
        variables = {name: value for name, value in variables.items() if name in kept}
    values = {**variables, **own}
    if isinstance(values.get("validate_certs"), str):
        values["validate_certs"] = values["validate_certs"].lower() not in ("0", "false", "no", "off")
    return Connection(values, frozenset(own))


def configuration(found: Connection, call, session_files: CredentialFiles):
    """Return the client's configuration.

    :param call: the C(ModuleCall); credentials from a kubeconfig are kept out of its result.
    :param session_files: stores the files with certificates and keys that the client needs.
    :raises AzureMLError: if the values do not select a cluster.
    """
    if found.values.get("host"):
        require_tls(found.values["host"])  # before the client parses it
    made = Configuration()
    made.proxy = None  # otherwise it looks for one in the environment whenever its host is set, from release 37 on
    proxy_url = _load_kubeconfig(made, found, call, session_files) if found.needs_kubeconfig else ""
    values = dict(found.values)
    for option in FILES:
        if values.get(option):
            values[option] = session_files.write(call.read_file(option, values[option]))
    _override(made, values)
    require_tls(made.host)
    proxy, no_proxy = proxies(found, proxy_url, made.host, call.environ)
    if proxy:
        require_proxy(proxy)

    def override(configuration) -> None:
        _override(configuration, values)
        configuration.proxy, configuration.no_proxy = proxy, no_proxy

    override(made)
    _keep_overridden(made, override)
    headers = {key: value for key, value in (call.params.get("proxy_headers") or {}).items() if value is not None}
    if headers:
        made.proxy_headers = make_headers(**headers)
    made.retries = BoundedRetry(raise_on_status=False, **RETRIES)
    return made


def proxies(found: Connection, proxy_url: str, host: str, environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the proxy, and the hosts that do not use it.

    An option takes precedence over the C(proxy-url) of a kubeconfig, which takes precedence over the environment. The
    exceptions of the environment apply only to its own proxy, as for kubectl. Loopback addresses do not use the proxy
    of the environment, as in every Go program.

    :param host: the address of the cluster.
    """
    no_proxy = found.values["no_proxy"] if "no_proxy" in found.own else None
    chosen = found.values["proxy"] if "proxy" in found.own else proxy_url
    if not chosen and not is_loopback(urlsplit(host).hostname):
        chosen = found.values.get("proxy") or environ.get("https_proxy") or environ.get("HTTPS_PROXY")
        no_proxy = found.values.get("no_proxy") or environ.get("no_proxy") or environ.get("NO_PROXY")
    if not chosen:
        return None, None
    chosen = chosen if "://" in chosen else f"http://{chosen}"
    # Like kubectl, let the proxy resolve the name of the cluster.
    return chosen.replace("socks5://", "socks5h://", 1), no_proxy


def _override(made, values: dict) -> None:
    """Apply the options, which override a kubeconfig."""
    for option, attribute in ATTRIBUTES.items():
        if option in values:
            setattr(made, attribute, values[option])
    made.host = made.host.rstrip("/")
    if values.get("api_key"):
        # The name in releases before 36, and the current name.
        made.api_key = dict.fromkeys(("authorization", "BearerToken"), f"Bearer {values['api_key']}")


def _keep_overridden(made, override) -> None:
    """Keep options set: before each request the client reads its token, and everything else, from the kubeconfig."""
    refresh = made.refresh_api_key_hook
    if refresh is None:
        return

    def refresh_and_override(configuration) -> None:
        refresh(configuration)  # which restores itself as the hook
        override(configuration)
        configuration.refresh_api_key_hook = refresh_and_override

    made.refresh_api_key_hook = refresh_and_override


def _load_kubeconfig(made, found: Connection, call, session_files: CredentialFiles) -> str:
    """Read the cluster and its credentials from a kubeconfig, or from the pod that this process runs in.

    :returns: the proxy of the cluster in the kubeconfig; empty for none.
    """
    option, context = found.values.get("kubeconfig"), found.values.get("context")
    default = call.environ.get("KUBECONFIG")
    if not option and not context and not default:
        try:
            load_incluster_config(client_configuration=made)
        except ConfigException:
            pass  # not in a pod
        else:
            return ""
    if option and is_inline(option):
        named, content = "kubeconfig", kubeconfig.from_option(option)
        for user in kubeconfig.entries_of(content, "users"):
            call.hide(*(user["user"].get(name) for name in SECRET_FIELDS))
    else:
        source = "kubeconfig" if option else "KUBECONFIG" if default else "kubeconfig (none is given)"
        paths = option or default or DEFAULT_KUBECONFIG
        named, content = f"{source}: {paths}", kubeconfig.from_files(source, paths, call.files)
    kubeconfig.move_to_files(content, context, session_files)
    try:
        load_kube_config_from_dict(content, context=context, client_configuration=made, persist_config=False)
    except (ConfigException, OSError, ValueError, TypeError, AttributeError) as error:
        raise AzureMLError(
            f"{named}: no cluster can be read from it: {first_line(error)}",
            hint="Set kubeconfig (and context), or host with api_key, or the K8S_AUTH_* environment variables.",
        ) from error
    if "host" in found.own:
        refuse_another_cluster(found.values["host"], made.host)
    return str(kubeconfig.selected(content, context)[0].get("proxy-url") or "")
