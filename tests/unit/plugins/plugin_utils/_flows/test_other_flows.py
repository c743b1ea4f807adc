# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What verify, upgrade, rotate_tls, detach and remove send and return."""

from __future__ import annotations

import pytest
from flow_world import World, run

FAILED = {"failed": True, "msg": "it broke"}
DIFFERS = {
    "plan": {"action": "update", "reason": "it differs", "settings": {"a.b": [1, 2]}, "properties": {}},
    "changed": True,
}
VERSION = {
    "plan": {
        "action": "update",
        "reason": "it differs",
        "settings": {},
        "properties": {"version": {"before": "1.1.61", "after": "1.1.70"}},
    },
    "changed": True,
}
CERTIFICATE = {
    "plan": {
        "action": "update",
        "reason": "it differs",
        "settings": {"azuremlArc.certificateSha256": ["1", "2"]},
        "properties": {},
    },
    "changed": True,
}
DONE = {"plan": {"action": "none", "reason": "", "settings": {}, "properties": {}}, "changed": False}


def there(**answers) -> World:
    return World(installed=True, attached=True, **answers)


@pytest.mark.parametrize(
    ("world", "variables", "findings"),
    [
        (there(), {}, []),
        (World(), {}, ["extension: it does not exist", "compute edge: it does not exist"]),
        (there(extension=DIFFERS), {}, ["extension: it differs (a.b)"]),
        (there(pod_readiness={"problems": ["Pod a: Pending"]}), {}, ["pods: Pod a: Pending"]),
        (
            there(tls_secret={"changed": True}),
            {"tls": {"secret_name": "s"}, "tls_secret": {"certificate": "c"}},
            ["certificate: the Secret in the cluster differs"],
        ),
        (
            there(endpoint_check={"problems": ["1.2.3.4:443: stale"]}),
            {"prove": ["endpoint"], "tls": {"secret_name": "s", "cname": "ml"}},
            ["endpoint: 1.2.3.4:443: stale"],
        ),
        (
            there(openshift_scc={"changed": True}),
            {"openshift": True},
            ["OpenShift: service accounts lack permissions"],
        ),
        (
            there(compute={"cluster_instance_types": [{"name": "small"}]}),
            {},
            ["instance types differ: small"],
        ),
    ],
)
def test_verify_finds_what_deploy_would_change(world, variables, findings):
    result = run("verify", world, **variables)

    assert (world.sent, result["findings"], result["in_sync"]) == ([], findings, not findings)
    assert result.get("failed", False) == bool(findings)
    if findings:
        assert result["msg"] == "; ".join(findings)


def test_verify_reports_everything_at_once():
    world = there(extension=DIFFERS, pod_readiness={"problems": ["Pod a: Pending"]})

    assert run("verify", world)["msg"] == "extension: it differs (a.b); pods: Pod a: Pending"


class TestUpgrade:
    def test_a_version_is_submitted_and_waited_for(self):
        world = there(extension=[VERSION, VERSION, DONE])

        result = run("upgrade", world, version="1.1.70")

        assert (world.sent, result["msg"]) == (
            [("extension", "present")],
            "extension 1.1.61 -> 1.1.70, 2 of 2 are ready",
        )

    def test_the_installed_version_changes_nothing(self):
        world = there()

        result = run("upgrade", world, version="1.1.61")

        assert (world.sent, result["msg"]) == ([], "extension unchanged, pods not checked")

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (DIFFERS, "it differs (a.b). Deploy the cluster first."),
            ({}, "it does not exist. Deploy the cluster first."),
        ],
    )
    def test_any_other_change_is_refused(self, answer, message):
        world = World(installed=bool(answer), extension=answer)

        result = run("upgrade", world, version="1.1.70")

        assert world.sent == []
        assert result["msg"].endswith(f"more than the version would change: {message}")

    def test_no_version_is_refused_before_anything_is_sent(self):
        world = there()

        assert run("upgrade", world)["msg"].endswith(
            "azureml_version must be set to the version to upgrade to; nothing was sent"
        )
        assert world.calls == []

    @pytest.mark.parametrize("failing", ["extension", "pod_readiness"])
    def test_a_failed_upgrade_is_rolled_back_where_wanted(self, failing):
        answers = {"extension": [VERSION, VERSION, FAILED, {**VERSION, "changed": True}]}
        if failing == "pod_readiness":
            answers = {"extension": [VERSION, VERSION, DONE, {**VERSION, "changed": True}], "pod_readiness": FAILED}
        world = there(**answers)

        result = run("upgrade", world, version="1.1.70", rollback=True)

        back = world.calls[-1]
        assert (back[0], back[1]["version"]) == ("extension", "1.1.61")
        assert result["failed"]
        assert "version 1.1.70 failed: it broke" in result["msg"]
        assert result["msg"].endswith("Rolled back to version 1.1.61.")

    def test_a_version_with_which_the_endpoint_is_wrong_is_rolled_back(self):
        wrong = {**FAILED, "outcome": "wrong", "summary": "plain HTTP"}
        world = there(extension=[VERSION, VERSION, DONE, {**VERSION, "changed": True}], endpoint_check=wrong)
        variables = {"tls": {"certificate": "c", "private_key": "k", "cname": "ml"}, "prove": ["endpoint"]}

        result = run("upgrade", world, version="1.1.70", rollback=True, **variables)

        assert (world.calls[-1][0], world.calls[-1][1]["version"]) == ("extension", "1.1.61")
        assert result["msg"].endswith("Rolled back to version 1.1.61.")
        assert result["endpoint"]["outcome"] == "wrong"

    def test_a_failed_rollback_keeps_the_error_of_the_upgrade(self):
        world = there(extension=[VERSION, VERSION, FAILED, {"failed": True, "msg": "no chart"}])

        message = run("upgrade", world, version="1.1.70", rollback=True)["msg"]

        assert "version 1.1.70 failed: it broke" in message
        assert message.endswith("Rolling back to version 1.1.61 failed as well: no chart")

    def test_without_rollback_the_message_names_the_variable(self):
        world = there(extension=[VERSION, VERSION, FAILED])

        message = run("upgrade", world, version="1.1.70")["msg"]

        assert message.endswith("Set azureml_rollback to true to roll back to version 1.1.61.")
        assert len(world.sent) == 1


class TestRotateTls:
    def test_a_certificate_is_sent_with_the_extension(self):
        world = there(extension=[CERTIFICATE, CERTIFICATE, DONE])

        result = run("rotate_tls", world, tls={"certificate": "c", "private_key": "k", "cname": "ml"})

        assert world.sent == [("extension", "present")]
        assert result["msg"].endswith("2 of 2 are ready, endpoint serves the certificate, 90 days left")

    def test_rotation_fails_if_the_new_certificate_is_not_served(self):
        wrong = {**FAILED, "outcome": "wrong", "summary": "stale", "certificate": {"days_left": 3}}
        sent = {**CERTIFICATE, "certificate": {"chain": ["ab"]}}
        world = there(extension=[CERTIFICATE, sent, DONE], endpoint_check=wrong)

        result = run("rotate_tls", world, tls={"certificate": "c", "private_key": "k", "cname": "ml"})

        module, options, _check_mode = world.calls[-1]
        assert (module, options["cname"], options["chain"]) == ("endpoint_check", "ml", ["ab"])
        assert (result["failed_step"], result["endpoint"]["outcome"]) == ("Check the inference endpoint", "wrong")

    def test_a_renewed_secret_is_a_change_of_the_extension(self):
        world = there(extension=[CERTIFICATE, CERTIFICATE, DONE])

        run("rotate_tls", world, tls={"secret_name": "s", "cname": "ml"}, tls_secret={"certificate": "c"})

        assert world.sent == [("tls_secret", "present"), ("extension", "present")]
        sent = next(options for module, options, check_mode in world.calls if module == "extension" and not check_mode)
        assert sent["tls"] == {"secret_name": "s", "cname": "ml", "secret_sha256": "ab"}
        assert world.calls[-1][1]["chain"] == ["cd", "ef"]

    def test_check_mode_does_not_connect_to_the_endpoint(self):
        world = there(extension=CERTIFICATE)

        run("rotate_tls", world, check_mode=True, tls={"certificate": "c", "private_key": "k", "cname": "ml"})

        assert "endpoint_check" not in [module for module, _options, _check_mode in world.calls]

    def test_a_certificate_in_a_secret_is_put_into_the_cluster(self):
        world = there()

        run("rotate_tls", world, tls={"secret_name": "s", "cname": "ml"}, tls_secret={"certificate": "c"})

        assert world.sent == [("tls_secret", "present")]

    def test_without_a_certificate_there_is_nothing_to_do(self):
        world = there()

        result = run("rotate_tls", world)

        assert (world.calls, result["changed"]) == ([], False)
        assert result["msg"] == "no certificate to rotate, azureml_tls is not set"

    def test_any_other_change_is_refused(self):
        world = there(extension=DIFFERS)

        result = run("rotate_tls", world, tls={"certificate": "c", "private_key": "k", "cname": "ml"})

        assert world.sent == []
        assert "more than the certificate would change: it differs (a.b)" in result["msg"]


class TestRemoval:
    def test_detach_removes_the_compute_alone(self):
        world = there()

        result = run("detach", world)

        assert (world.sent, result["msg"]) == ([("compute", "absent")], "removed: compute edge")
        assert run("detach", world)["msg"] == "nothing to remove"

    def test_remove_removes_everything(self):
        world = there(compute={"cluster_instance_types": [{"name": "small"}]}, openshift_scc={"changed": True})

        result = run("remove", world, tls={"secret_name": "s"}, tls_secret={"certificate": "c"})

        assert world.sent == [
            *(("compute", "absent"), ("instance_type", "absent"), ("extension", "absent")),
            *(("openshift_scc", "absent"), ("tls_secret", "absent")),
        ]
        assert result["msg"] == (
            "removed: compute edge, instance type small, extension azureml, rights on OpenShift, Secret s"
        )

    def test_remove_lists_kept_resources(self):
        settings = {"relayserver.hybridConnectionResourceID": "/subscriptions/s/relay"}
        extension = {**World(installed=True)._view(), "settings": settings}
        delete = {"action": "delete", "reason": "", "settings": {}, "properties": {}}
        world = there(extension={"extension": extension, "plan": delete})

        assert "kept: relay namespace (azureml_remove_resources: [relay] removes it)" in run("remove", world)["msg"]
        assert "kept" not in run("remove", world, remove_resources=["relay"])["msg"]

    @pytest.mark.parametrize("installed", [True, False])
    def test_the_wrong_cluster_loses_nothing(self, installed):
        wrong = {"failed": True, "msg": "kubeconfig 'k' reaches another cluster"}
        world = World(installed=installed, attached=True, cluster_identity=wrong)

        result = run("remove", world, tls={"secret_name": "s"}, tls_secret={"certificate": "c"})

        assert world.sent == []
        assert result["failed_step"] == "Check that the connection reaches the cluster"

    def test_check_mode_removes_nothing(self):
        world = there()

        result = run("remove", world, check_mode=True)

        assert world.sent == []
        assert result["msg"].startswith("would be removed: compute edge, extension azureml")
