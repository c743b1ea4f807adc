# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster and the proxy that options and environment select."""

from __future__ import annotations

import json
import re
import ssl
import sys
from pathlib import Path

import pytest
import urllib3
import yaml
from ansible_collections.azureml.arc.plugins.doc_fragments.kubernetes import ModuleDocFragment
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import config
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.config import connection, proxies
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.credential_files import CredentialFiles

import certificates

# AWX's credential "OpenShift or Kubernetes API Bearer Token".
BEARER = {"K8S_AUTH_HOST": "https://a", "K8S_AUTH_API_KEY": "ta", "K8S_AUTH_VERIFY_SSL": "no"}


def kubeconfig(name: str, server: str = "", **cluster) -> dict:
    return {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": {"server": server or f"https://{name}", **cluster}}],
        "users": [{"name": name, "user": {"token": f"t{name}"}}],
    }


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a kubeconfig with contexts, and returns its path."""

    def write(*names: str, **keywords) -> str:
        path = tmp_path / f"{'-'.join(names)}.json"
        parts = [kubeconfig(name, **keywords) for name in names]
        lists = {key: [one for part in parts for one in part[key]] for key in ("contexts", "clusters", "users")}
        path.write_text(json.dumps({"current-context": names[0], **lists}), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def configured(tmp_path):
    """Return a function that returns the client's configuration for options and an environment."""
    files = CredentialFiles(str(tmp_path))

    def configure(options: dict, environ: dict):
        call = ModuleCall(options, tmpdir=str(tmp_path), environ=environ)
        return config.configuration(connection(options, environ), call, files)

    yield configure
    files.close()


def target(configuration) -> tuple:
    """Return the server of requests, and their token."""
    values = {part["value"] for part in configuration.auth_settings().values()}
    return configuration.host, values.pop().removeprefix("Bearer ") if values else None


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        # Options of the host, although the environment refers to another cluster.
        ({"kubeconfig": "b"}, BEARER, ("https://b", "tb")),
        ({"kubeconfig": "b"}, {"K8S_AUTH_HOST": "https://a"}, ("https://b", "tb")),
        (
            {"kubeconfig": "b"},
            {"K8S_AUTH_KUBECONFIG": "a", "K8S_AUTH_CONTEXT": "a", "KUBECONFIG": "a"},
            ("https://b", "tb"),
        ),
        ({"kubeconfig": "a,b", "context": "b"}, BEARER, ("https://b", "tb")),
        ({"context": "b"}, {**BEARER, "KUBECONFIG": "a,b"}, ("https://b", "tb")),
        ({"context": "b"}, {**BEARER, "K8S_AUTH_KUBECONFIG": "a,b"}, ("https://b", "tb")),
        ({"host": "https://b", "api_key": "tb"}, {**BEARER, "KUBECONFIG": "a"}, ("https://b", "tb")),
        ({"host": "https://b"}, {**BEARER, "KUBECONFIG": "a"}, ("https://b", None)),
        # Both, for the same cluster.
        ({"host": "https://b", "kubeconfig": "b"}, BEARER, ("https://b", "tb")),
        ({"host": "https://b:443/", "kubeconfig": "b"}, BEARER, ("https://b:443", "tb")),
        ({"host": "https://b", "kubeconfig": "b", "api_key": "other"}, BEARER, ("https://b", "other")),
        # No options that select a cluster: as in kubernetes.core.
        ({}, BEARER, ("https://a", "ta")),
        ({"api_key": "tb"}, BEARER, ("https://a", "tb")),
        ({}, {**BEARER, "KUBECONFIG": "b"}, ("https://a", "ta")),
        ({}, {"K8S_AUTH_KUBECONFIG": "a,b", "K8S_AUTH_CONTEXT": "b"}, ("https://b", "tb")),
        ({}, {"KUBECONFIG": "b"}, ("https://b", "tb")),
        ({}, {"K8S_AUTH_HOST": "https://a", "KUBECONFIG": "b"}, ("https://a", "tb")),
    ],
)
def test_options_that_select_a_cluster_replace_the_environment(options, environ, expected, file, configured):
    def with_files(values: dict) -> dict:
        return {
            name: file(*value.split(",")) if name.lower().endswith("kubeconfig") else value
            for name, value in values.items()
        }

    assert target(configured(with_files(options), with_files(environ))) == expected


def test_environment_of_another_cluster_does_not_disable_certificate_validation(file, configured):
    assert configured({"kubeconfig": file("b")}, BEARER).verify_ssl
    assert not configured({}, BEARER).verify_ssl
    assert configured({"validate_certs": True}, BEARER).verify_ssl


def test_host_and_kubeconfig_of_two_clusters_are_rejected(file, configured):
    with pytest.raises(
        AzureMLError, match="host 'https://a' and the kubeconfig, whose server is 'https://b', refer to two"
    ):
        configured({"host": "https://a", "kubeconfig": file("b")}, {})


def test_host_may_replace_the_loopback_address_of_a_kubeconfig(file, configured):
    path = file("k3s", server="https://127.0.0.1:6443")
    assert configured({"host": "https://node:6443", "kubeconfig": path}, {}).host == "https://node:6443"


def test_proxy_of_the_environment_is_used_with_a_kubeconfig_of_the_host(file, configured):
    assert configured({"kubeconfig": file("b")}, {"K8S_AUTH_PROXY": "http://p:1"}).proxy == "http://p:1"


@pytest.mark.parametrize("environ", [{}, {"KUBECONFIG": "/none/c"}], ids=["option", "environment"])
def test_missing_kubeconfig_is_an_error_with_its_path(configured, environ):
    options = {} if environ else {"kubeconfig": "/none/c"}
    with pytest.raises(AzureMLError, match="(?i)kubeconfig: /none/c cannot be read: No such file or directory"):
        configured(options, environ)


def test_missing_context_is_an_error_with_the_path_of_the_kubeconfig(file, configured):
    path = file("b")
    with pytest.raises(AzureMLError, match=f"kubeconfig: {path}: no cluster can be read from it: .*object with name x"):
        configured({"kubeconfig": path, "context": "x"}, {})


def test_missing_certificate_file_is_an_error_with_the_option(configured):
    with pytest.raises(AzureMLError, match="ca_cert: /none/ca.pem cannot be read: No such file"):
        configured({"host": "https://a", "api_key": "t", "ca_cert": "/none/ca.pem"}, {})


def test_certificate_options_become_files_of_the_session(configured, tmp_path):
    pair = certificates.make()
    certificate, key = certificates.as_files(tmp_path, pair).values()
    given = {"client_cert": certificate, "client_key": key}
    found = configured({"host": "https://a", **given}, {})
    assert [Path(path).read_bytes() for path in (found.cert_file, found.key_file)] == list(pair)


def test_every_variable_is_documented_at_its_option():
    options = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    for option, names in config.ENVIRONMENT.items():
        documented = re.findall(r"E\((K8S_AUTH_\w+)\)", str(options[option]["description"]))
        assert names[0] in documented, option


OPTION, URL = "http://option:1", "http://url:2"
VARIABLES = {"K8S_AUTH_PROXY": "http://k8s:3", "HTTPS_PROXY": "http://all:4", "NO_PROXY": "a,10.0.0.0/8"}
PLAIN = {name: VARIABLES[name] for name in ("HTTPS_PROXY", "NO_PROXY")}


@pytest.mark.parametrize(
    ("options", "proxy_url", "environ", "host", "expected"),
    [
        ({"proxy": OPTION}, URL, VARIABLES, "https://a", (OPTION, None)),
        ({"proxy": OPTION, "no_proxy": "b"}, URL, VARIABLES, "https://a", (OPTION, "b")),
        ({}, URL, VARIABLES, "https://a", (URL, None)),
        ({}, URL, PLAIN, "https://10.1.2.3:6443", (URL, None)),
        (
            {},
            URL,
            {},
            "https://127.0.0.1:6443",
            (URL, None),
        ),  # a tunnel to the network in which the kubeconfig was created
        ({}, "socks5://127.0.0.1:1080", {}, "https://a", ("socks5h://127.0.0.1:1080", None)),
        ({}, None, VARIABLES, "https://a", ("http://k8s:3", "a,10.0.0.0/8")),
        ({}, None, PLAIN, "https://a", ("http://all:4", "a,10.0.0.0/8")),
        ({}, None, {"https_proxy": "p:5", **PLAIN}, "https://a", ("http://p:5", "a,10.0.0.0/8")),
        ({"no_proxy": "b"}, None, PLAIN, "https://a", ("http://all:4", "b")),
        ({}, None, {"HTTP_PROXY": "http://p:1"}, "https://a", (None, None)),
        ({}, None, VARIABLES, "https://localhost:6443", (None, None)),
        ({}, None, VARIABLES, "https://127.0.0.53:6443", (None, None)),
        ({}, None, VARIABLES, "https://[::1]:6443", (None, None)),
    ],
)
def test_precedence_of_proxies_is_option_kubeconfig_environment(options, proxy_url, environ, host, expected):
    assert proxies(connection(options, environ), proxy_url, host, environ) == expected


def test_proxy_of_a_kubeconfig_is_kept_when_its_token_is_refreshed(file, configured):
    found = configured({"kubeconfig": file("b", **{"proxy-url": "http://p:1"})}, PLAIN)
    found.get_api_key_with_prefix("BearerToken") or found.get_api_key_with_prefix("authorization")
    assert (found.proxy, found.no_proxy) == ("http://p:1", None)


def test_proxy_with_an_unknown_scheme_is_rejected_without_showing_its_password(configured):
    with pytest.raises(AzureMLError, match="proxy must have one of the schemes http, https, .*, not 'ftp'") as error:
        configured({"host": "https://a", "proxy": "ftp://u:hush@p"}, {})
    assert "hush" not in str(error.value)


@pytest.mark.parametrize("password", ["hu#sh", "hu/sh", "hush@p:99999/"])
def test_proxy_that_is_not_an_address_is_rejected_without_showing_its_password(password, configured):
    with pytest.raises(AzureMLError, match="proxy must be an address like") as error:
        configured({"host": "https://a", "proxy": f"http://u:{password}@p:1"}, {})
    assert "hu" not in str(error.value)


@pytest.mark.parametrize("address", ["https://a:99999", "https://a:port", "https://[::1", "https://a b"])
def test_host_that_is_not_an_address_is_rejected(address, file, configured):
    for credentials in ({"api_key": "t"}, {"kubeconfig": file("b")}):
        with pytest.raises(AzureMLError, match=f"^host must be an address like .*, not '{re.escape(address)}'"):
            configured({"host": address, **credentials}, {})


def test_server_of_a_kubeconfig_that_is_not_an_address_is_rejected(file, configured):
    path = file("b", server="https://b:99999")
    with pytest.raises(AzureMLError, match="^host must be an address like .*, not 'https://b:99999'"):
        configured({"kubeconfig": path}, {})
    with pytest.raises(AzureMLError, match="^the server of the kubeconfig must be an address like"):
        configured({"kubeconfig": path, "host": "https://a"}, {})


def test_socks_proxy_without_its_library_names_the_library(configured, monkeypatch):
    monkeypatch.setitem(sys.modules, "socks", None)
    with pytest.raises(AzureMLError, match="PySocks"):
        configured({"host": "https://a", "api_key": "t", "proxy": "socks5://127.0.0.1:1080"}, {})


@pytest.mark.parametrize(("cause", "attempts"), [(ssl.SSLCertVerificationError(), 1), (ssl.SSLEOFError(), 3)])
def test_certificate_that_cannot_be_verified_ends_all_attempts(cause, attempts):
    error, retries = urllib3.exceptions.SSLError(cause), config.BoundedRetry(total=2)
    for _attempt in range(attempts - 1):
        retries = retries.increment("GET", "/", error=error)
    with pytest.raises(urllib3.exceptions.MaxRetryError):
        retries.increment("GET", "/", error=error)
