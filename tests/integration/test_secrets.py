# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret is in the output, the files or the processes of a run, at the highest verbosity."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from kubernetes.config import new_client_from_config
from kubernetes.dynamic import DynamicClient
from playbooks import COLLECTIONS, LOCALHOST, play, start_playbook
from support import processes_of, requests_to, wait_for

import certificates
import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Principal, Scenario

MARKER = "marker-of-a-secret"
CNAME = "ml.example.com"
CLUSTERS = [
    ClusterPlan("good", install=InstallPlan(30), attach_seconds=5),
    ClusterPlan("inline", install=InstallPlan(30), attach_seconds=5),
    ClusterPlan("bad", install=InstallPlan(30, "timed out", pods={"relayserver": "ImagePullBackOff"})),
    ClusterPlan("full", install=InstallPlan(30), attach_error="The workspace has too many computes."),
    ClusterPlan("wrong", install=InstallPlan(30)),  # its token is not the cluster's
]
# Certificates with keys in the key vault and in the Secret of cert-manager.
IN_VAULT, IN_CERT_MANAGER = (certificates.make() for _number in range(2))
REPORT = {
    "ANSIBLE_CALLBACKS_ENABLED": "azureml.arc.fleet_report",
    "AZUREML_ARC_FLEET_REPORT_FORMATS": "html,json,junit",
    "ANSIBLE_CACHE_PLUGIN": "jsonfile",
}


class Watcher:
    """Search for secrets in the command line and the environment of each process that runs in a folder."""

    def __init__(self, directory: Path, secrets: list[str]) -> None:
        self._directory = directory
        self._secrets = [one.encode() for one in secrets]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.processes_read = 0
        self.found: set[str] = set()

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *exc_info) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            for process in processes_of(self._directory):
                self.processes_read += 1
                for name in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):  # the process has ended
                        content = (process / name).read_bytes()
                        self.found |= {f"{name}: {content[:200]!r}" for one in self._secrets if one in content}


@pytest.fixture
def azure(tmp_path, monkeypatch):
    """Start a simulator with a marker as client secret, and remove the credentials from the environment."""
    scenario = Scenario(clusters=CLUSTERS, principal=Principal(secret=f"{MARKER}-client"), time_scale=60)
    with simulated.running(scenario, tmp_path / "simulator") as running:
        running.import_certificate("edge", IN_VAULT)
        secrets = DynamicClient(new_client_from_config(running.kubeconfigs["inline"])).resources.get(
            api_version="v1", kind="Secret"
        )
        body = {"metadata": {"name": "edge"}, "data": certificates.as_secret(IN_CERT_MANAGER)}
        secrets.create(body=body, namespace="default")
        for name in ("AZURE_CLIENT_ID", "AZURE_SECRET", "AZURE_TENANT"):
            monkeypatch.delenv(name)
        for name in ("AZURE_CLOUD_ENVIRONMENT", "AZURE_SUBSCRIPTION_ID", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, running.environment[name])
        yield running


def inventory(azure: simulated.RunningSimulator, tls: dict) -> dict:
    """Return an inventory with a secret in each variable that accepts one."""
    content = simulated.inventory(azure.directory, CLUSTERS)
    content["all"]["vars"] |= {
        "azureml_profile": "training_inference",
        "azureml_inference_service": "node_port",
        "azureml_tls": {**tls, "cname": CNAME},
        "azureml_sign_in": {
            "client_id": azure.environment["AZURE_CLIENT_ID"],
            "secret": azure.secret,
            "tenant": azure.environment["AZURE_TENANT"],
            "disable_instance_discovery": True,
        },
        "azureml_protected_settings": {
            "proxy.password": f"{MARKER}-protected",
            "azure_log_analytics.connection_string": f"{MARKER}-connection-string",
        },
        "azureml_log_analytics": True,
        "azureml_readiness_timeout": 30,
    }
    hosts = content["all"]["hosts"]
    for name in ("good", "wrong"):
        kubeconfig = azure.kubeconfig(name)
        token = kubeconfig["users"][0]["user"]["token"] if name == "good" else f"{MARKER}-api-key"
        host = kubeconfig["clusters"][0]["cluster"]["server"]
        hosts[name]["azureml_kubernetes"] = {"host": host, "api_key": token, "ca_cert": azure.ca}
    inline = azure.kubeconfig("inline")
    hosts["inline"]["azureml_kubernetes"] = {"kubeconfig": inline}
    hosts["good"]["azureml_tls"] = {"key_vault": f"{azure.endpoint}/certificates/edge", "cname": CNAME}
    hosts["inline"]["azureml_tls"] = {"secret_name": "ml-tls", "cname": CNAME}
    hosts["inline"]["azureml_tls_secret"] = {"from": {"namespace": "default", "name": "edge"}}
    for name in ("good", "inline"):
        hosts[name]["azureml_prove"] = ["endpoint"]
    return content


def secrets_of(azure: simulated.RunningSimulator, tls: dict) -> list[str]:
    """Return all secrets of a run, in each encoding in which they are sent."""
    tokens = [azure.kubeconfig(name)["users"][0]["user"]["token"] for name in azure.kubeconfigs]
    keys = [tls["private_key_content"], *(key.decode() for _certificate, key in (IN_VAULT, IN_CERT_MANAGER))]
    parts = [part for key in keys for part in (key.splitlines()[1], base64.b64encode(key.encode()).decode()[40:120])]
    returned = [
        value
        for one in requests_to(azure, "POST", "")
        for name, value in (one["answer"] or {}).items()
        if name.lower().endswith(("key", "connectionstring", "access_token")) and isinstance(value, str)
    ]
    return [MARKER, "SharedAccessKey=", *tokens, *parts, *returned]


def files_below(directory: Path, without: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files below a folder, except below the excluded folders."""
    for path in directory.rglob("*"):
        if path.is_file() and not path.relative_to(directory).as_posix().startswith(without):
            yield path


def assert_without(directory: Path, secrets: list[str], without: tuple[str, ...] = ()) -> None:
    """Fail if a file below a folder contains a secret."""
    for path in files_below(directory, without):
        content = path.read_bytes()
        assert not [one for one in secrets if one.encode() in content], path


def ready_components(artifacts: Path, host: str) -> list[dict]:
    """Return the components of a host in the events of a run."""
    events = [json.loads(path.read_text(encoding="utf-8")) for path in (artifacts / "job_events").glob("*.json")]
    results = [
        event["event_data"]["res"]
        for event in events
        if event.get("event_data", {}).get("host") == host and "res" in event["event_data"]
    ]
    return [row for result in results for row in (result.get("pod_readiness") or result).get("components", ())]


@pytest.mark.parametrize("in_process", ["1", "0"])
def test_no_secret_in_artifacts_of_ansible_runner(azure, tmp_path_factory, in_process):
    """Run like AWX: the artifacts of ansible-runner contain the whole output and each event."""
    tls = certificates.as_options()
    run = tmp_path_factory.mktemp("run")  # short: ansible-core 2.21 listens on a socket below TMPDIR
    for name, content in {
        "inventory/hosts.yml": inventory(azure, tls),
        "project/site.yml": [{"import_playbook": "azureml.arc.deploy"}],
        "env/envvars": {
            **REPORT,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(run / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(run / "ansible/remote"),
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(run / "facts"),
            "AZUREML_ARC_FLEET_REPORT_DIRECTORY": str(run / "report"),
            "AZUREML_ARC_IN_PROCESS": in_process,
            "TMPDIR": str(run / "tmp"),
        },
    }.items():
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    (run / "tmp").mkdir()
    command = ["ansible-runner", "run", str(run), "-p", "site.yml", "--cmdline=-vvvv --diff", "--ident", "one"]

    with Watcher(run, secrets_of(azure, tls)) as watcher:
        finished = subprocess.run(command, cwd=run, capture_output=True, text=True, timeout=240, check=False)

    output = re.sub(r"\x1b\[[0-9;]*m", "", finished.stdout + finished.stderr)  # colours
    recap = output[output.index("PLAY RECAP") :]
    failed = set(re.findall(r"^(\w+) .*failed=[1-9]", recap, re.MULTILINE))
    assert failed == {"bad", "full", "wrong"}, output[-5000:]
    found = secrets_of(azure, tls)
    assert len(found) > 10  # the connection strings of relays, and tokens
    assert not [one for one in found if one in output]
    assert not re.search(r"eyJ|Bearer ", output)
    # Names in a kubeconfig are not secrets and are not hidden.
    assert {row["name"] for row in ready_components(run / "artifacts/one", "inline")} >= {
        "relayserver",
        "volcano-admission",
    }
    assert len(list((run / "artifacts/one/job_events").glob("*.json"))) > 20
    assert {path.suffix for path in (run / "report").iterdir()} == {".html", ".json", ".xml"}
    assert_without(run, found, without=("inventory/",))
    assert watcher.processes_read > 10
    assert watcher.found == set()
    remaining = [*files_below(run / "ansible", ()), *(run / "tmp").iterdir()]
    assert remaining == []


def test_no_secret_in_errors_of_modules(playbook, simulator, arc, tmp_path):
    """Call modules with invalid values. The values are variables, because Ansible shows the text of a task."""
    secret, broken = "{{ secret }}", "{{ 'users: [' ~ secret ~ '\n' }}"
    cluster = {"resource_group": "rg-edge", "cluster_name": arc, "workload_profile": "training"}
    tasks = [
        {"azureml.arc.extension": {**cluster, "secret": secret, "client_id": "unknown", "tenant": "99999999-8888"}},
        {"azureml.arc.extension": {**cluster, "protected_settings": {"a": {"b": secret}}}},
        {
            "azureml.arc.pod_readiness": {
                "workload_profile": "training",
                "host": "https://localhost:9",
                "api_key": secret,
            }
        },
        {
            "azureml.arc.tls_secret": {
                "name": "ml",
                "certificate_content": "none",
                "private_key_content": secret,
                "cname": "c",
                "kubeconfig": simulator.kubeconfigs[arc],
            }
        },
        {"azureml.arc.pod_readiness": {"workload_profile": "training", "kubeconfig": broken}},
    ]
    content = play(*({**task, "ignore_errors": True} for task in tasks))
    hosts = {"all": {**LOCALHOST["all"], "vars": {"secret": MARKER}}}
    for in_process in ("1", "0"):
        run = playbook(content, hosts, "-vvvv", AZUREML_ARC_IN_PROCESS=in_process)

        assert run.output.count("...ignoring") == len(tasks), run.output
        assert MARKER not in run.output + json.dumps(run.results)
        (tmp_path / "inventory.yml").unlink()
        assert_without(tmp_path, [MARKER])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_terminated_run_leaves_no_secrets_in_files(azure, tmp_path_factory, number):
    """The token of the run is encrypted, and the files of an inline kubeconfig are in memory."""
    azure.change_plan("inline", install={"pods": {"gateway": "ImagePullBackOff"}})
    tls = certificates.as_options()
    run = tmp_path_factory.mktemp("run")  # short: ansible-core 2.21 listens on a socket below TMPDIR
    arguments = ["--limit", "inline", "-e", "azureml_readiness_timeout=600"]
    with start_playbook("azureml.arc.deploy", inventory(azure, tls), run, arguments) as process:
        wait_for(lambda: requests_to(azure, "GET", "/kubernetes/inline/api/v1/namespaces/azureml/pods"), seconds=60)
        shared = [path for path in (run / "ansible").rglob("azureml_arc_*") if path.is_file()]
        assert {oct(path.stat().st_mode & 0o777) for path in shared} == {"0o600"}
        assert not [one for one in secrets_of(azure, tls) for path in shared if one.encode() in path.read_bytes()]
        process.send_signal(number)
    wait_for(lambda: not processes_of(run), seconds=20)

    (run / "inventory.yml").unlink()
    assert_without(run, secrets_of(azure, tls))
