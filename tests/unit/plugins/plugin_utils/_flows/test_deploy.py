# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment sends and returns, by the state of the cluster and what the modules answer."""

from __future__ import annotations

import pytest
from flow_world import World, run

INSTALL = [("supporting_resources", "present"), ("extension", "present"), ("compute", "present")]
FAILED = {"failed": True, "msg": "it broke", "error": {"code": "Broken"}}
TYPES = [{"name": "small"}]
UPDATE = {
    "changed": True,
    "plan": {"action": "update", "reason": "it differs", "settings": {"a.b": [1, 2]}, "properties": {}},
}


@pytest.mark.parametrize(
    ("world", "sent", "message"),
    [
        (World(), INSTALL, "extension created, 2 of 2 are ready, compute created"),
        (World(installed=True, attached=True), [], "extension unchanged, 2 of 2 are ready, compute unchanged"),
        (World(installed=True), [("compute", "present")], "extension unchanged, 2 of 2 are ready, compute created"),
        (
            World(installed=True, attached=True, extension=[UPDATE, UPDATE, {}]),
            [("extension", "present")],
            "extension updated, 2 of 2 are ready, compute unchanged",
        ),
    ],
    ids=["nothing there", "in sync", "not attached", "differs"],
)
def test_a_cluster_is_brought_in_sync(world, sent, message):
    result = run("deploy", world)

    assert (world.sent, result["msg"]) == (sent, message)
    assert (result["changed"], result["in_sync"]) == (bool(sent), not sent)
    assert not result.get("failed")


HTTPS = {"tls": {"certificate": "c", "private_key": "k", "cname": "ml"}, "prove": ["endpoint"]}


def test_the_endpoint_is_proved_between_the_pods_and_the_attachment():
    world = World()

    result = run("deploy", world, **HTTPS)

    modules = [module for module, _options, check_mode in world.calls if not check_mode]
    assert modules[-4:] == ["pod_readiness", "endpoint_check", "compute", "compute"]
    assert ", endpoint serves the certificate, 90 days left, compute created" in result["msg"]
    assert result["endpoint"]["outcome"] == "ok"


def test_a_wrong_endpoint_fails_a_deployment_that_would_change_nothing_else():
    wrong = {"outcome": "wrong", "summary": "stale", "problems": ["stale"]}
    world = World(installed=True, attached=True, endpoint_check=[wrong, {**FAILED, **wrong}])

    result = run("deploy", world, **HTTPS)

    assert (world.sent, result["failed_step"]) == ([], "Check the inference endpoint")
    assert result["endpoint"]["problems"] == ["stale"]


def test_endpoint_is_not_checked_without_request_or_in_check_mode_of_a_change():
    for world, how in ((World(), {"tls": HTTPS["tls"]}), (World(), {**HTTPS, "check_mode": True})):
        assert run("deploy", world, **how)["endpoint"] is None
        assert "endpoint_check" not in [module for module, _options, _check_mode in world.calls]


@pytest.mark.parametrize(
    ("parts", "sent"),
    [
        (("extension",), INSTALL[:2]),
        (("extension", "readiness"), INSTALL[:2]),
        (("attach",), INSTALL[2:]),
        (("readiness",), []),
    ],
)
def test_tags_leave_parts_out(parts, sent):
    world = World()

    run("deploy", world, parts=parts)

    assert world.sent == sent


def test_check_mode_sends_nothing_and_reports_what_would_change():
    world = World()

    result = run("deploy", world, check_mode=True)

    assert world.sent == []
    assert all(check_mode for _module, _options, check_mode in world.calls)
    assert (result["changed"], result["msg"]) == (
        True,
        "extension would be created, pods not checked, compute would be created",
    )


def test_everything_a_cluster_may_need_is_put_into_it_after_it_is_proved():
    world = World(compute={"cluster_instance_types": TYPES})

    run(
        "deploy",
        world,
        openshift=True,
        tls={"secret_name": "ml", "cname": "ml.example.com"},
        tls_secret={"certificate": "c", "private_key": "k"},
        compute={"name": "edge", "namespace": "vision", "create_namespace": True},
    )

    assert [module for module, _state in world.sent] == [
        *("openshift_scc", "tls_secret", "supporting_resources", "extension"),
        *("namespace", "compute", "instance_type"),
    ]
    modules = [module for module, _options, _check_mode in world.calls]
    assert modules.index("cluster_identity") < modules.index("openshift_scc")


def test_another_cluster_behind_the_connection_is_not_written_to():
    world = World(cluster_identity={"failed": True, "msg": "it reaches connected cluster 'b', not 'c'"})

    result = run("deploy", world, openshift=True)

    assert (world.sent, result["failed"]) == ([], True)
    assert result["msg"].endswith("it reaches connected cluster 'b', not 'c'")


def test_another_cluster_behind_the_connection_is_not_in_sync():
    world = World(installed=True, attached=True, cluster_identity={"failed": True, "msg": "it reaches cluster 'b'"})

    assert run("deploy", world)["failed_step"] == "Check that the connection reaches the cluster"


def test_an_api_server_that_another_host_reaches_is_not_written_to():
    world = World(cluster_identity={"verified": False, "reason": "no ConfigMap"})

    result = run("deploy", world, owner_of=lambda address: "shop")

    assert world.sent == []
    assert "https://api:6443 is the API server of host shop as well" in result["msg"]
    assert run("deploy", World(cluster_identity={"verified": False}), owner_of=lambda address: None)["changed"]


def test_a_missing_namespace_stops_the_attachment():
    world = World()

    result = run("deploy", world, compute={"name": "edge", "namespace": "vision"})

    assert [module for module, _state in world.sent] == ["supporting_resources", "extension"]
    assert result["msg"].startswith("Attach the cluster: namespace 'vision' does not exist in the cluster.")


def test_findings_of_both_sides_are_reported_before_anything_is_sent():
    findings = [
        {"failed": True, "msg": "No relay.", "findings": [1]},
        {"failed": True, "msg": "No node.", "findings": [2]},
    ]
    world = World(preflight=findings)

    result = run("deploy", world)

    assert (world.sent, result["findings"]) == ([], [1, 2])
    assert result["msg"] == "Check that the extension can be installed: No relay. No node."


def test_a_workspace_that_does_not_exist_is_found_before_the_extension_is_installed():
    world = World(compute={"failed": True, "msg": "workspace 'ws' does not exist"})

    result = run("deploy", world)

    assert (world.sent, result["msg"]) == ([], "Compare the computes: workspace 'ws' does not exist")


def test_a_failed_installation_names_the_pods_that_are_not_ready():
    world = World(extension=[{}, {}, FAILED], pod_readiness={"problems": ["Pod a: ImagePullBackOff"]})

    result = run("deploy", world)

    assert result["failed_step"] == "Wait until the extension is installed"
    assert result["msg"].endswith("it broke Not ready: Pod a: ImagePullBackOff")
    assert result["error"] == {"code": "Broken"}


def test_pods_that_cannot_be_read_do_not_hide_the_failure():
    world = World(extension=[{}, {}, FAILED], pod_readiness={"failed": True, "msg": "HTTP 403"})

    assert run("deploy", world)["msg"].endswith("it broke The pods cannot be read: HTTP 403")


def test_beginning_sends_the_extension_and_does_not_wait():
    world = World()

    begun = run("deploy", world, wait=False)
    finished = run("deploy", world, begun=True)

    assert (world.sent, begun["changed"], finished["changed"]) == (INSTALL, True, True)
    waits = [options for module, options, _check in world.calls if module == "extension" and "wait_timeout" in options]
    assert [one["retry_failed"] for one in waits] == [False]


def test_failed_operation_of_the_same_flow_is_not_repeated():
    world = World()
    run("deploy", world, wait=False)
    world.state = "Failed"
    world.sent.clear()

    result = run("deploy", world, begun=True)

    (wait,) = [
        options for module, options, _check in world.calls if "wait_timeout" in options and module == "extension"
    ]
    assert wait["retry_failed"] is False
    assert world.sent == []
    assert result["failed"] is True


def test_a_cluster_that_fails_while_it_soaks_fails():
    world = World(pod_readiness=[{}, FAILED])

    result = run("deploy", world, soak=60.0)

    assert result["failed_step"] == "Check the pods after the soak"
    assert [options["wait_timeout"] for module, options, _check in world.calls if module == "pod_readiness"] == [900, 0]


def test_an_unforeseen_error_is_the_result_of_its_cluster():
    world = World(preflight={"checked": None, "openshift": None, "install_options": None})

    result = run("deploy", world)

    assert result["failed"]
    assert result["msg"].startswith("Unexpected TypeError: ")
    assert "Traceback" in result["exception"]


def test_differences_carry_names_and_warnings_come_once():
    diff = {"before": {}, "after": {"version": "1"}}
    world = World(extension={"diff": diff, "warnings": ["twice"]})

    result = run("deploy", world, check_mode=True)

    assert {(one["before_header"], one["after_header"]) for one in result["diff"]} == {
        ("c: extension (absent)", "c: extension")
    }
    assert result["warnings"] == ["twice"]
