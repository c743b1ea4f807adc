# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests and the result of a deployment, by the state of the cluster and the results of the modules."""

from __future__ import annotations

import pytest
from fake_modules import FakeModules, run

INSTALL = [("supporting_resources", "present"), ("extension", "present"), ("compute", "present")]
FAILED = {"failed": True, "msg": "it broke", "error": {"code": "Broken"}}
TYPES = [{"name": "small"}]
UPDATE = {
    "changed": True,
    "plan": {"action": "update", "reason": "it differs", "settings": {"a.b": [1, 2]}, "properties": {}},
}


@pytest.mark.parametrize(
    ("fake", "sent", "message"),
    [
        (FakeModules(), INSTALL, "extension installed, 2 of 2 are ready, compute attached"),
        (FakeModules(installed=True, attached=True), [], "extension unchanged, 2 of 2 are ready, compute unchanged"),
        (
            FakeModules(installed=True),
            [("compute", "present")],
            "extension unchanged, 2 of 2 are ready, compute attached",
        ),
        (
            FakeModules(installed=True, attached=True, extension=[UPDATE, UPDATE, {}]),
            [("extension", "present")],
            "extension updated, 2 of 2 are ready, compute unchanged",
        ),
    ],
    ids=["not installed", "in sync", "not attached", "differs"],
)
def test_deployment_sends_only_the_changes_that_are_needed(fake, sent, message):
    result = run("deploy", fake)

    assert (fake.sent, result["msg"]) == (sent, message)
    assert (result["changed"], result["in_sync"]) == (bool(sent), not sent)
    assert not result.get("failed")


HTTPS = {"tls": {"certificate": "c", "private_key": "k", "cname": "ml"}, "prove": ["endpoint"]}


def test_endpoint_is_checked_after_the_pods_and_before_the_attachment():
    fake = FakeModules()

    result = run("deploy", fake, **HTTPS)

    modules = [module for module, _options, check_mode in fake.calls if not check_mode]
    assert modules[-4:] == ["pod_readiness", "endpoint_check", "compute", "compute"]
    assert ", endpoint serves the certificate, 90 days left, compute attached" in result["msg"]
    assert result["endpoint"]["outcome"] == "ok"


def test_wrong_endpoint_fails_the_deployment_of_a_cluster_in_sync():
    wrong = {"outcome": "wrong", "summary": "stale", "problems": ["stale"]}
    fake = FakeModules(installed=True, attached=True, endpoint_check=[wrong, {**FAILED, **wrong}])

    result = run("deploy", fake, **HTTPS)

    assert (fake.sent, result["failed_step"]) == ([], "Check the inference endpoint")
    assert result["endpoint"]["problems"] == ["stale"]


def test_endpoint_is_not_checked_by_default_or_in_check_mode_before_a_change():
    for fake, arguments in ((FakeModules(), {"tls": HTTPS["tls"]}), (FakeModules(), {**HTTPS, "check_mode": True})):
        assert run("deploy", fake, **arguments)["endpoint"] is None
        assert "endpoint_check" not in [module for module, _options, _check_mode in fake.calls]


@pytest.mark.parametrize(
    ("parts", "sent"),
    [
        (("extension",), INSTALL[:2]),
        (("extension", "readiness"), INSTALL[:2]),
        (("attach",), INSTALL[2:]),
        (("readiness",), []),
    ],
)
def test_only_the_parts_of_the_tags_are_sent(parts, sent):
    fake = FakeModules()

    run("deploy", fake, parts=parts)

    assert fake.sent == sent


def test_check_mode_sends_nothing_and_reports_what_would_change():
    fake = FakeModules()

    result = run("deploy", fake, check_mode=True)

    assert fake.sent == []
    assert all(check_mode for _module, _options, check_mode in fake.calls)
    assert (result["changed"], result["msg"]) == (
        True,
        "extension would be installed, pods not checked, compute would be attached",
    )


def test_objects_are_created_in_the_cluster_after_its_identity_was_verified():
    fake = FakeModules(compute={"cluster_instance_types": TYPES})

    run(
        "deploy",
        fake,
        openshift=True,
        tls={"secret_name": "ml", "cname": "ml.example.com"},
        tls_secret={"certificate": "c", "private_key": "k"},
        compute={"name": "edge", "namespace": "vision", "create_namespace": True},
    )

    assert [module for module, _state in fake.sent] == [
        *("openshift_scc", "tls_secret", "supporting_resources", "extension"),
        *("namespace", "compute", "instance_type"),
    ]
    modules = [module for module, _options, _check_mode in fake.calls]
    assert modules.index("cluster_identity") < modules.index("openshift_scc")


def test_nothing_is_sent_if_the_connection_reaches_another_cluster():
    fake = FakeModules(cluster_identity={"failed": True, "msg": "it reaches connected cluster 'b', not 'c'"})

    result = run("deploy", fake, openshift=True)

    assert (fake.sent, result["failed"]) == ([], True)
    assert result["msg"].endswith("it reaches connected cluster 'b', not 'c'")


def test_cluster_in_sync_fails_if_the_connection_reaches_another_cluster():
    fake = FakeModules(
        installed=True, attached=True, cluster_identity={"failed": True, "msg": "it reaches cluster 'b'"}
    )

    assert run("deploy", fake)["failed_step"] == "Check that the connection reaches the cluster"


def test_nothing_is_sent_to_an_api_server_that_another_host_uses():
    fake = FakeModules(cluster_identity={"verified": False, "reason": "no ConfigMap"})

    result = run("deploy", fake, owner_of=lambda address: "shop")

    assert fake.sent == []
    assert "host shop connects to the same API server, https://api:6443," in result["msg"]
    assert run("deploy", FakeModules(cluster_identity={"verified": False}), owner_of=lambda address: None)["changed"]


def test_unverified_cluster_is_a_warning_with_the_reason():
    fake = FakeModules(cluster_identity={"verified": False, "reason": "no ConfigMap"})

    assert run("deploy", fake)["warnings"] == ["the identity of the cluster was not verified: no ConfigMap"]


def test_verified_cluster_claims_its_address_and_is_not_refused():
    claimed = []

    result = run("deploy", FakeModules(), owner_of=lambda address: claimed.append(address) or "aks")

    assert (result["changed"], claimed) == (True, ["https://api:6443"])


@pytest.mark.parametrize("installed", [True, False])
def test_check_of_the_identity_knows_whether_the_extension_is_installed(installed):
    fake = FakeModules(installed=installed)

    run("deploy", fake)

    (given,) = [options for module, options, _check_mode in fake.calls if module == "cluster_identity"]
    assert given["extension_installed"] == installed


def test_missing_namespace_stops_the_attachment():
    fake = FakeModules()

    result = run("deploy", fake, compute={"name": "edge", "namespace": "vision"})

    assert [module for module, _state in fake.sent] == ["supporting_resources", "extension"]
    assert result["msg"].startswith("Attach the cluster: namespace 'vision' does not exist in the cluster.")


def test_findings_in_azure_and_in_the_cluster_are_reported_before_any_request():
    findings = [
        {"failed": True, "msg": "No relay.", "findings": [1]},
        {"failed": True, "msg": "No node.", "findings": [2]},
    ]
    fake = FakeModules(preflight=findings)

    result = run("deploy", fake)

    assert (fake.sent, result["findings"]) == ([], [1, 2])
    assert result["msg"] == "Check that the extension can be installed: No relay. No node."


def test_missing_cluster_ends_the_checks():
    fake = FakeModules(extension={"failed": True, "msg": "the cluster does not exist", "gone": True})

    result = run("deploy", fake)

    assert (result["gone"], result["msg"]) == (True, "Compare the extension: the cluster does not exist")
    assert [module for module, _options, _check_mode in fake.calls] == ["extension"]


def test_missing_workspace_is_reported_before_the_extension_is_installed():
    fake = FakeModules(compute={"failed": True, "msg": "workspace 'ws' does not exist"})

    result = run("deploy", fake)

    assert (fake.sent, result["msg"]) == ([], "Compare the computes: workspace 'ws' does not exist")


def test_failed_installation_reports_the_pods_that_are_not_ready():
    fake = FakeModules(extension=[{}, {}, FAILED], pod_readiness={"problems": ["Pod a: ImagePullBackOff"]})

    result = run("deploy", fake)

    assert result["failed_step"] == "Wait until the extension is installed"
    assert result["msg"].endswith("it broke Not ready: Pod a: ImagePullBackOff")
    assert result["error"] == {"code": "Broken"}


def test_failure_is_reported_if_the_pods_cannot_be_read():
    fake = FakeModules(extension=[{}, {}, FAILED], pod_readiness={"failed": True, "msg": "HTTP 403"})

    assert run("deploy", fake)["msg"].endswith("it broke The pods cannot be read: HTTP 403")


def test_failed_submission_returns_the_resources_that_were_created_before():
    failed = {"failed": True, "msg": "it is forbidden"}

    result = run("deploy", FakeModules(extension=[{}, failed]))

    assert (result["msg"], result["created_resources"]) == ("Submit the extension: it is forbidden", ["/relay"])
    assert result["changed"]


def test_start_without_wait_submits_the_extension_and_a_second_run_waits():
    fake = FakeModules()

    started = run("deploy", fake, wait=False)
    finished = run("deploy", fake, begun=True)

    assert (fake.sent, started["changed"], finished["changed"]) == (INSTALL, True, True)
    waits = [options for module, options, _check in fake.calls if module == "extension" and "wait_timeout" in options]
    assert [one["retry_failed"] for one in waits] == [False]


def test_failed_operation_of_the_same_flow_is_not_retried():
    fake = FakeModules()
    run("deploy", fake, wait=False)
    fake.state = "Failed"
    fake.sent.clear()

    result = run("deploy", fake, begun=True)

    (wait,) = [options for module, options, _check in fake.calls if "wait_timeout" in options and module == "extension"]
    assert wait["retry_failed"] is False
    assert fake.sent == []
    assert result["failed"] is True


def test_cluster_whose_pods_fail_during_the_soak_fails():
    fake = FakeModules(pod_readiness=[{}, FAILED])

    result = run("deploy", fake, soak=60.0)

    assert result["failed_step"] == "Check the pods after the soak"
    assert [options["wait_timeout"] for module, options, _check in fake.calls if module == "pod_readiness"] == [900, 0]


def test_unexpected_exception_is_the_result_of_its_cluster():
    fake = FakeModules(preflight={"checked": None, "openshift": None, "install_options": None})

    result = run("deploy", fake)

    assert result["failed"]
    assert result["msg"].startswith("Unexpected TypeError: ")
    assert "Traceback" in result["exception"]


def test_diffs_have_headers_and_repeated_warnings_are_shown_once():
    diff = {"before": {}, "after": {"version": "1"}}
    fake = FakeModules(extension={"diff": diff, "warnings": ["twice"]})

    result = run("deploy", fake, check_mode=True)

    assert {(one["before_header"], one["after_header"]) for one in result["diff"]} == {
        ("c: extension (absent)", "c: extension")
    }
    assert result["warnings"] == ["twice"]
