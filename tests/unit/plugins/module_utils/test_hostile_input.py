# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile input from users, clusters and files leads to a result, or to an error that names the invalid input."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster_reference
from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import ClusterFacts
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource_graph import any_of
from ansible_collections.azureml.arc.plugins.module_utils._azure.response import parse_response
from ansible_collections.azureml.arc.plugins.module_utils._compute import configuration as _compute_configuration
from ansible_collections.azureml.arc.plugins.module_utils._core import files
from ansible_collections.azureml.arc.plugins.module_utils._core import text as _text
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall, ModuleSpec, execute
from ansible_collections.azureml.arc.plugins.module_utils._extension import certificate_files, check, tls
from ansible_collections.azureml.arc.plugins.module_utils._extension import settings as _settings
from ansible_collections.azureml.arc.plugins.module_utils._extension.relay import Relay
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import config
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.credential_files import CredentialFiles
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import RESOURCES
from ansible_collections.azureml.arc.plugins.module_utils._node import taints
from ansible_collections.azureml.arc.plugins.module_utils._readiness import health_check
from ansible_collections.azureml.arc.plugins.module_utils._readiness.components import Component
from ansible_collections.azureml.arc.plugins.module_utils._readiness.evaluate import evaluate
from hostile import ATTACKS, UNPRINTABLE, documents, pods, texts, workloads
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator.arm.kusto import run as run_query

# Tests may be slow on a busy machine.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")

RELAY = Relay("/relay", "/relay/hybridConnections/c", "c")
CLUSTER = ClusterFacts("/subscriptions/s", "c", "connected_cluster", "westeurope", 3)


def refusal_of(work: Callable, *arguments: object) -> AzureMLError | None:
    """Return the error with which a function refuses its arguments, C(None) if it accepts them."""
    try:
        work(*arguments)
    except AzureMLError as error:
        return error
    return None


def assert_clear(error: AzureMLError, *names: str) -> None:
    """Assert that an error is printable and contains one of the names."""
    assert not UNPRINTABLE.search(str(error))
    assert any(name in str(error) for name in names)


@given(settings=st.dictionaries(texts, documents, max_size=4), protected=st.dictionaries(texts, documents, max_size=4))
def test_settings_are_rejected_or_become_strings(settings, protected):
    options = {
        "workload_profile": "training",
        "settings_generation": "current",
        "settings": settings,
        "protected_settings": protected,
    }
    refusal = refusal_of(check.check, options)
    if refusal:
        assert_clear(refusal, "settings")
        return
    check.misspelt_keys(options)
    found = _settings.derive(options, CLUSTER, RELAY, None)
    for one in (found.plain, found.protected):
        assert all(isinstance(value, str) for value in one.values())
    json.dumps(found.plain)


@given(options=st.dictionaries(st.sampled_from(("resource_group", "cluster_name")), texts, min_size=2))
def test_name_cannot_change_the_structure_of_an_arm_id(options):
    arguments = ({**options, "cluster_type": "connected_cluster"}, "11111111-2222-3333-4444-555555555555")
    refusal = refusal_of(cluster_reference.reference, *arguments)
    if refusal:
        assert_clear(refusal, *options)
        return
    found = cluster_reference.reference(*arguments)
    assert posixpath.normpath(found.id) == found.id
    assert found.id.count("/") == 8
    found.id.encode()
    assert not any(mark in found.id for mark in "?#%\\ \n")


@given(name=texts, namespace=texts)
def test_name_cannot_change_the_structure_of_a_kubernetes_path(name, namespace):
    arguments = (namespace or "-", name or "-")
    refusal = refusal_of(RESOURCES["Pod"].path, *arguments)
    if refusal:
        assert_clear(refusal, "is not a valid name of a Kubernetes object")
        return
    path = RESOURCES["Pod"].path(*arguments)
    assert posixpath.normpath(path) == path
    assert path.count("/") == 6
    assert path.isascii()
    assert not any(mark in path for mark in "?# \n\x00")


@given(labels=st.dictionaries(texts, documents, max_size=3))
def test_labels_are_rejected_or_valid(labels):
    refusal = refusal_of(taints.checked_labels, labels)
    if refusal:
        assert_clear(refusal, "labels")
        return
    found = taints.checked_labels(labels)
    assert all(key.isascii() and value.isascii() and len(value) <= 63 for key, value in found.items())


@given(reports=st.dictionaries(st.sampled_from(("reports-pre-install", "reports-test")) | texts, texts, max_size=3))
@example(reports={"reports-test": "Status: Failed Name: \x1b[2J ErrorCode: E4\u0665 ErrorMessage: \x9b31m"})
@example(reports={"reports-test": "Status: Failed Name: a ErrorCode: E" + "9" * 10_000})
@example(reports={"reports-test": "Status: Failed Name: a ErrorMessage: " + "x" * 10_000_000})
def test_health_check_reports_become_printable_lines(reports):
    for row in health_check.findings(reports):
        line = health_check.as_line(row)
        assert not UNPRINTABLE.search(line)
        assert len(line) < 5 * _text.LONGEST_TEXT


@given(pods=st.lists(pods, max_size=4), found=st.lists(workloads, max_size=3))
def test_pods_and_workloads_have_a_printable_verdict(pods, found):
    kinds = ("Deployment", "StatefulSet", "DaemonSet")
    by_name = {(kind, one["metadata"]["name"]): one for kind, one in zip(kinds, found, strict=False)}
    verdict = evaluate([Component(kind, name, True) for kind, name in by_name], by_name, pods)
    assert not UNPRINTABLE.search("".join([*verdict.problems(), verdict.summary()]))
    json.dumps(verdict.components + verdict.pods).encode()
    assert len(verdict.pods) == len(pods)


@given(content=st.binary(max_size=200) | documents.map(lambda one: json.dumps(one).encode()))
@example(content=b"[" * 100_000)
@example(
    content=b'{"instanceTypes": {"a": {"resources": {"limits": {"cpu": "1e999999999"}}}}, "defaultInstanceType": "a"}'
)
def test_configuration_file_is_accepted_or_rejected_by_name(content):
    refusal = refusal_of(lambda: _compute_configuration.from_file(content, "attach.json").for_cluster())
    if refusal:
        assert_clear(refusal, "attach.json")


@given(certificate=st.binary(max_size=200), key=texts)
@example(certificate=b"-----BEGIN CERTIFICATE-----\n" + b"A" * 1000 + b"\n-----END CERTIFICATE-----\n", key="")
@example(
    certificate=b"",
    key="-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + "A" * 64 + "\n-----END ENCRYPTED PRIVATE KEY-----\n",
)
def test_invalid_pem_is_rejected(certificate, key):
    content = key.encode("utf-8", "surrogatepass")
    with pytest.raises(AzureMLError, match="^tls.certificate is not a PEM certificate"):
        tls.check(certificate, content, "ml.example.com", None, "tls.")
    with pytest.raises(AzureMLError, match="private_key (is not a PEM|is encrypted)"):
        tls._key(content, "tls.")


@pytest.mark.parametrize("path", ["/dev/zero", "/", "no\x00path", "x" * 5000, "missing.pem"])
def test_unreadable_file_is_rejected(path):
    with pytest.raises(AzureMLError, match="^tls.certificate: .* (cannot be read|is larger than)"):
        certificate_files.read(ModuleCall({}), {"certificate": path, "private_key": path, "cname": "c"}, "tls.")


def test_file_of_the_largest_size_is_read(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * _text.LONGEST_FILE)
    assert len(files.read("config_file", str(path))) == _text.LONGEST_FILE


def kubeconfig(**user) -> dict:
    return {
        "clusters": [{"name": "c", "cluster": {"server": "https://localhost:9"}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


def configuration(content, tmp_path):
    found = config.connection({"kubeconfig": content}, {})
    return config.configuration(found, ModuleCall({}, environ={}), CredentialFiles(str(tmp_path)))


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": ["{}"]}},
        {"auth-provider": {"name": "gcp", "config": {"cmd-path": "touch", "cmd-args": "{}"}}},
        {"tokenFile": "/etc/shadow"},
    ],
    ids=lambda user: next(iter(user)),
)
def test_inline_kubeconfig_neither_runs_programs_nor_reads_files(tmp_path, user, as_text):
    marker = tmp_path / "owned"
    user = json.loads(json.dumps(user).replace("{}", str(marker)))
    content = kubeconfig(**user)
    with pytest.raises(AzureMLError, match=f"^kubeconfig: user 'u' has {next(iter(user))}, which an inline"):
        configuration(json.dumps(content) if as_text else content, tmp_path)
    assert not marker.exists()


def test_kubeconfig_file_may_run_a_program_as_in_kubectl(tmp_path):
    token = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "from-exec"},
    }
    command = {"apiVersion": token["apiVersion"], "command": "echo", "args": [json.dumps(token)]}
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig(exec={**command, "interactiveMode": "Never"})), encoding="utf-8")
    assert list(configuration(str(path), tmp_path).api_key.values()) == ["Bearer from-exec"]


@given(content=documents)
@example(content={"users": "u"})
@example(content={**kubeconfig(), "users": None})
@example(content=kubeconfig(**{"client-key-data": "no base64", "client-certificate-data": "="}))
def test_inline_kubeconfig_is_accepted_or_rejected_by_name(tmp_path_factory, content):
    for given_as in (content, json.dumps(content) + "\n"):
        if isinstance(given_as, (dict, str)):
            refusal = refusal_of(configuration, given_as, tmp_path_factory.mktemp("kube"))
            if refusal:
                assert_clear(refusal, "kubeconfig")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n" + "x" * 2 * _text.LONGEST_FILE, "longer than"),
        ("{" * 100_000, "kubeconfig"),
        ("- !!python/object/apply:os.system ['touch owned']\n", "constructor"),
    ],
)
def test_malicious_yaml_is_rejected(tmp_path, content, message):
    with pytest.raises(AzureMLError, match=message):
        configuration(content, tmp_path)


@given(values=st.lists(texts.filter(lambda one: "\ud800" not in one), min_size=1, max_size=3))
@settings(max_examples=50)
def test_value_cannot_change_the_structure_of_a_query(values):
    rows = [{"name": value, "id": str(number)} for number, value in enumerate(values)]
    others = [{"name": "another name", "id": "x"}]
    query = f"resources | where name in~ {any_of(values)} | project id | order by id asc"
    found = run_query(query, {"resources": rows + others})
    assert [row["id"] for row in found] == [row["id"] for row in rows]


class Answer:
    """A response of the SDK."""

    def __init__(self, status: int, content: bytes, headers: dict) -> None:
        self.status_code = status
        self.content = content
        self.headers = headers
        self.reason = "\x1b[2J"

    def json(self):
        return json.loads(self.content)

    def text(self):
        return self.content.decode("utf-8", "replace")


@given(
    status=st.sampled_from((200, 400, 404, 429, 500)),
    content=st.binary(max_size=100) | documents.map(lambda one: json.dumps(one).encode()),
    retry_after=texts,
)
@example(status=400, content=b"[" * 100_000, retry_after="")
@example(status=429, content=b"{}", retry_after="-1")
@example(status=400, content=b'{"error": {"code": ["x"], "message": {"\\u001b": 1}}}', retry_after="1e400")
def test_response_of_a_service_is_an_object_or_an_error(status, content, retry_after):
    arguments = ("GET it", Answer(status, content, {"Retry-After": retry_after}), "correlation")
    refusal = refusal_of(parse_response, *arguments)
    if refusal:
        assert_clear(refusal, f"GET it: HTTP {status}")
        assert (getattr(refusal, "retry_after", None) or 0) >= 0
    else:
        assert isinstance(parse_response(*arguments).body, dict)


@pytest.mark.parametrize("attack", ATTACKS)
def test_unexpected_exception_is_returned_as_a_printable_result(attack):
    def run(call):
        raise KeyError(attack)

    result = execute(ModuleSpec(run, {}), ModuleCall({}))
    assert result["failed"]
    assert result["msg"].startswith("Unexpected KeyError")
    assert not UNPRINTABLE.search(result["msg"])
    assert "in run" in result["exception"]
