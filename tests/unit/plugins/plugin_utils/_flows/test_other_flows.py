# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests and results of verify, upgrade, rotate_tls, detach and remove."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.host import Assignment
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions
from fake_modules import FakeModules, run

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
        "settings": {"azuremlArc.certificateSha256": {"before": "1", "after": "2"}},
        "properties": {},
    },
    "changed": True,
}
UNKNOWN_CERTIFICATE = {
    **CERTIFICATE,
    "plan": {
        **CERTIFICATE["plan"],
        "settings": {"azuremlArc.certificateSha256": {"before": None, "after": "2"}},
    },
}
DISTURBS = {
    "failed": True,
    "msg": "extension cannot be changed",
    "error": {"code": "Refused"},
    "plan": {
        "action": "refuse",
        "reason": "it would disturb workloads",
        "allowed_by": "allow_disruption",
        "settings": {"enableTraining": {}, "enableInference": {}},
        "properties": {},
    },
}
TAKEN = {
    "failed": True,
    "msg": "compute cannot be attached",
    "error": {"code": "Refused"},
    "plan": {"action": "refuse", "reason": "taken", "allowed_by": "force_reattach", "changes": {"cluster_id": {}}},
}
OTHER_TYPE = {
    **TAKEN,
    "plan": {
        "action": "refuse",
        "reason": "a compute of type AmlCompute has this name",
        "allowed_by": None,
        "changes": {},
    },
}
DONE = {"plan": {"action": "none", "reason": "", "settings": {}, "properties": {}}, "changed": False}


def deployed(**answers) -> FakeModules:
    return FakeModules(installed=True, attached=True, **answers)


@pytest.mark.parametrize(
    ("fake", "variables", "findings"),
    [
        (deployed(), {}, []),
        (FakeModules(), {}, ["extension: it does not exist", "compute edge: it does not exist"]),
        (deployed(extension=DIFFERS), {}, ["extension: it differs (a.b)"]),
        (
            deployed(extension=CERTIFICATE),
            {},
            ["extension: the installed certificate is not the one in azureml_tls; run rotate_tls"],
        ),
        (
            deployed(extension=UNKNOWN_CERTIFICATE),
            {},
            ["extension: the installed certificate may not be the one in azureml_tls; run rotate_tls"],
        ),
        (deployed(pod_readiness={"problems": ["Pod a: Pending"]}), {}, ["pods: Pod a: Pending"]),
        (
            deployed(tls_secret={"changed": True}),
            {"tls": {"secret_name": "s"}, "tls_secret": {"certificate": "c"}},
            ["certificate: the Secret in the cluster differs"],
        ),
        (
            deployed(endpoint_check={"problems": ["1.2.3.4:443: stale"]}),
            {"prove": ["endpoint"], "tls": {"secret_name": "s", "cname": "ml"}},
            ["endpoint: 1.2.3.4:443: stale"],
        ),
        (
            deployed(openshift_scc={"changed": True}),
            {"openshift": True},
            ["OpenShift: service accounts lack permissions"],
        ),
        (
            deployed(compute={"cluster_instance_types": [{"name": "small"}]}),
            {},
            ["instance types differ: small"],
        ),
    ],
)
def test_verify_reports_the_changes_that_deploy_would_make(fake, variables, findings):
    result = run("verify", fake, **variables)

    assert (fake.sent, result["findings"], result["in_sync"]) == ([], findings, not findings)
    assert result.get("failed", False) == bool(findings)
    if findings:
        assert result["msg"] == "; ".join(findings)


@pytest.mark.parametrize(
    ("answers", "findings"),
    [
        (
            {"extension": DISTURBS},
            [
                "extension: it differs from the desired state (enableInference, enableTraining), which deploy refuses"
                " to change unless azureml_allow_disruption allows it",
                "compute edge: it does not exist",
                "pods: Pod a: Pending",
            ],
        ),
        (
            {"compute": TAKEN},
            [
                "compute edge: it differs from the desired state (cluster_id), which deploy refuses to"
                " change unless azureml_force_reattach allows it",
                "pods: Pod a: Pending",
            ],
        ),
        (
            {"compute": OTHER_TYPE},
            [
                "compute edge: a compute of type AmlCompute has this name, which deploy refuses to change",
                "pods: Pod a: Pending",
            ],
        ),
    ],
)
def test_verify_reports_a_refused_change_as_drift_with_all_other_differences(answers, findings):
    fake = FakeModules(installed=True, pod_readiness={"problems": ["Pod a: Pending"]}, **answers)

    result = run("verify", fake)

    assert (result["findings"], "failed_step" in result, result.get("error")) == (findings, False, None)


def test_verify_fails_at_an_error_that_is_not_a_difference():
    result = run("verify", FakeModules(installed=True, extension={**FAILED, "error": {"code": "Forbidden"}}))

    assert (result["failed_step"], result["error"]) == ("Compare the extension", {"code": "Forbidden"})


def test_verify_reports_all_differences_together():
    fake = deployed(extension=DIFFERS, pod_readiness={"problems": ["Pod a: Pending"]})

    assert run("verify", fake)["msg"] == "extension: it differs (a.b); pods: Pod a: Pending"


class TestUpgrade:
    def test_version_is_submitted_and_upgrade_waits_for_it(self):
        fake = deployed(extension=[VERSION, VERSION, DONE])

        result = run("upgrade", fake, version="1.1.70")

        assert (fake.sent, result["msg"]) == (
            [("extension", "present")],
            "extension 1.1.61 -> 1.1.70, 2 of 2 are ready",
        )

    def test_installed_version_changes_nothing(self):
        fake = deployed()

        result = run("upgrade", fake, version="1.1.61")

        assert (fake.sent, result["msg"]) == ([], "extension unchanged, pods not checked")

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (DIFFERS, "it differs (a.b). Deploy the cluster first."),
            ({}, "it does not exist. Deploy the cluster first."),
        ],
    )
    def test_any_other_change_is_rejected(self, answer, message):
        fake = FakeModules(installed=bool(answer), extension=answer)

        result = run("upgrade", fake, version="1.1.70")

        assert fake.sent == []
        assert result["msg"].endswith(f"more than the version would change: {message}")

    @pytest.mark.parametrize(("version", "count"), [("1.1.70", 0), (None, 1)])
    def test_missing_version_is_an_error_in_variables(self, version, count):
        options = ClusterOptions({} if version is None else {"azureml_version": version}, str)

        assert len(Assignment("upgrade").errors_of(options)) == count
        assert Assignment("deploy").errors_of(options) == Assignment("upgrade").errors_of(None) == []

    @pytest.mark.parametrize("failing", ["extension", "pod_readiness"])
    def test_failed_upgrade_is_rolled_back_with_azureml_rollback(self, failing):
        answers = {"extension": [VERSION, VERSION, FAILED, {**VERSION, "changed": True}]}
        if failing == "pod_readiness":
            answers = {"extension": [VERSION, VERSION, DONE, {**VERSION, "changed": True}], "pod_readiness": FAILED}
        fake = deployed(**answers)

        result = run("upgrade", fake, version="1.1.70", rollback=True)

        back = fake.calls[-1]
        assert (back[0], back[1]["version"]) == ("extension", "1.1.61")
        assert result["failed"]
        assert "version 1.1.70 failed: it broke" in result["msg"]
        assert result["msg"].endswith("Rolled back to version 1.1.61.")

    def test_version_whose_pods_fail_during_the_soak_is_rolled_back(self):
        fake = deployed(extension=[VERSION, VERSION, DONE, {**VERSION, "changed": True}], pod_readiness=[{}, FAILED])

        result = run("upgrade", fake, version="1.1.70", rollback=True, soak=60.0)

        assert result["failed_step"] == "Check the pods after the soak"
        assert result["msg"].endswith("Rolled back to version 1.1.61.")

    def test_version_with_a_wrong_endpoint_is_rolled_back(self):
        wrong = {**FAILED, "outcome": "wrong", "summary": "plain HTTP"}
        fake = deployed(extension=[VERSION, VERSION, DONE, {**VERSION, "changed": True}], endpoint_check=wrong)
        variables = {"tls": {"certificate": "c", "private_key": "k", "cname": "ml"}, "prove": ["endpoint"]}

        result = run("upgrade", fake, version="1.1.70", rollback=True, **variables)

        assert (fake.calls[-1][0], fake.calls[-1][1]["version"]) == ("extension", "1.1.61")
        assert result["msg"].endswith("Rolled back to version 1.1.61.")
        assert result["endpoint"]["outcome"] == "wrong"

    def test_failed_rollback_keeps_the_error_of_the_upgrade(self):
        fake = deployed(extension=[VERSION, VERSION, FAILED, {"failed": True, "msg": "no chart"}])

        message = run("upgrade", fake, version="1.1.70", rollback=True)["msg"]

        assert "version 1.1.70 failed: it broke" in message
        assert message.endswith("Rolling back to version 1.1.61 failed as well: no chart")

    @pytest.mark.parametrize(("version", "is_lower"), [("1.1", True), ("1.1.9", True), ("1.1.70", False), ("x", False)])
    def test_version_lower_than_the_installed_one_is_a_warning(self, version, is_lower):
        answer = {"plan": {**VERSION["plan"], "properties": {"version": {"before": None, "after": version}}}}

        result = run("upgrade", deployed(extension=answer), version=version)

        warning = f"azureml_version {version} is lower than the installed version 1.1.61, a downgrade"
        assert result.get("warnings", []) == ([warning] if is_lower else [])

    def test_without_rollback_the_message_names_the_variable(self):
        fake = deployed(extension=[VERSION, VERSION, FAILED])

        message = run("upgrade", fake, version="1.1.70")["msg"]

        assert message.endswith("Set azureml_rollback to true to roll back to version 1.1.61.")
        assert len(fake.sent) == 1


class TestRotateTls:
    def test_renewed_certificate_is_sent_with_the_extension(self):
        fake = deployed(extension=[CERTIFICATE, CERTIFICATE, DONE])

        result = run("rotate_tls", fake, tls={"certificate": "c", "private_key": "k", "cname": "ml"})

        assert fake.sent == [("extension", "present")]
        assert result["msg"].endswith("2 of 2 are ready, endpoint serves the certificate, 90 days left")

    def test_rotation_fails_if_the_new_certificate_is_not_served(self):
        wrong = {**FAILED, "outcome": "wrong", "summary": "stale", "certificate": {"days_left": 3}}
        sent = {**CERTIFICATE, "certificate": {"chain": ["ab"]}}
        fake = deployed(extension=[CERTIFICATE, sent, DONE], endpoint_check=wrong)

        result = run("rotate_tls", fake, tls={"certificate": "c", "private_key": "k", "cname": "ml"})

        module, options, _check_mode = fake.calls[-1]
        assert (module, options["cname"], options["chain"]) == ("endpoint_check", "ml", ["ab"])
        assert (result["failed_step"], result["endpoint"]["outcome"]) == ("Check the inference endpoint", "wrong")

    def test_renewed_secret_changes_the_extension(self):
        fake = deployed(extension=[CERTIFICATE, CERTIFICATE, DONE])

        run("rotate_tls", fake, tls={"secret_name": "s", "cname": "ml"}, tls_secret={"certificate": "c"})

        assert fake.sent == [("tls_secret", "present"), ("extension", "present")]
        sent = next(options for module, options, check_mode in fake.calls if module == "extension" and not check_mode)
        assert sent["tls"] == {"secret_name": "s", "cname": "ml", "secret_sha256": "ab"}
        assert fake.calls[-1][1]["chain"] == ["cd", "ef"]

    def test_check_mode_does_not_connect_to_the_endpoint(self):
        fake = deployed(extension=CERTIFICATE)

        run("rotate_tls", fake, check_mode=True, tls={"certificate": "c", "private_key": "k", "cname": "ml"})

        assert "endpoint_check" not in [module for module, _options, _check_mode in fake.calls]

    def test_certificate_in_a_secret_is_written_to_the_cluster(self):
        fake = deployed()

        run("rotate_tls", fake, tls={"secret_name": "s", "cname": "ml"}, tls_secret={"certificate": "c"})

        assert fake.sent == [("tls_secret", "present")]

    def test_rotation_without_a_certificate_changes_nothing(self):
        fake = deployed()

        result = run("rotate_tls", fake)

        assert (fake.calls, result["changed"]) == ([], False)
        assert result["msg"] == "no certificate to rotate, because azureml_tls is not set"

    def test_any_other_change_is_rejected(self):
        fake = deployed(extension=DIFFERS)

        result = run("rotate_tls", fake, tls={"certificate": "c", "private_key": "k", "cname": "ml"})

        assert fake.sent == []
        assert "more than the certificate would change: it differs (a.b)" in result["msg"]


class TestRemoval:
    def test_detach_removes_only_the_compute(self):
        fake = deployed()

        result = run("detach", fake)

        assert (fake.sent, result["msg"]) == ([("compute", "absent")], "removed: compute edge")
        assert run("detach", fake)["msg"] == "nothing to detach: workspace ws has no compute edge"

    def test_remove_removes_everything(self):
        fake = deployed(compute={"cluster_instance_types": [{"name": "small"}]}, openshift_scc={"changed": True})

        result = run("remove", fake, tls={"secret_name": "s"}, tls_secret={"certificate": "c"})

        assert fake.sent == [
            *(("compute", "absent"), ("instance_type", "absent"), ("extension", "absent")),
            *(("openshift_scc", "absent"), ("tls_secret", "absent")),
        ]
        assert result["msg"] == (
            "removed: compute edge, instance type small, extension azureml, permissions on OpenShift, Secret s"
        )

    @pytest.mark.parametrize(
        ("answers", "removed"),
        [
            ({"compute": FAILED}, ""),
            ({"extension": [{}, FAILED]}, "compute edge"),
            ({"extension": [{}, {}, FAILED]}, "compute edge, extension azureml"),
        ],
    )
    def test_failed_removal_names_what_was_already_removed(self, answers, removed):
        result = run("remove", deployed(**answers))

        note = f". Already removed, or being removed: {removed}." if removed else ""
        assert result["failed"]
        assert result["msg"].endswith(f": it broke{note}")

    def test_remove_lists_kept_resources(self):
        settings = {"relayserver.hybridConnectionResourceID": "/subscriptions/s/relay"}
        extension = {**FakeModules(installed=True)._view(), "settings": settings}
        delete = {"action": "delete", "reason": "", "settings": {}, "properties": {}}
        fake = deployed(extension={"extension": extension, "plan": delete})

        assert "kept: relay namespace (azureml_remove_resources: [relay] removes it)" in run("remove", fake)["msg"]
        assert "kept" not in run("remove", fake, remove_resources=["relay"])["msg"]

    def test_second_removal_names_the_resources_that_the_first_one_has_kept(self):
        fake = FakeModules(extension={"removed_resources": ["/subscriptions/s/relay"]})

        result = run("remove", fake, remove_resources=["log_analytics", "service_bus"])

        asked = [options.get("remove_resources") for module, options, _check in fake.calls if module == "extension"]
        assert asked[-1] == ["relay"]
        assert result["msg"].endswith("; kept: relay namespace (azureml_remove_resources: [relay] removes it)")

    @pytest.mark.parametrize("answer", [{"removed_resources": []}, FAILED])
    def test_second_removal_names_no_resource_that_it_cannot_find(self, answer):
        none = {"changed": False}
        fake = FakeModules(extension=[none, none, none, answer], openshift_scc=none)

        assert run("remove", fake, compute=None, workspace=None)["msg"] == "nothing to remove"

    @pytest.mark.parametrize("installed", [True, False])
    def test_nothing_is_removed_if_the_connection_reaches_another_cluster(self, installed):
        wrong = {"failed": True, "msg": "kubeconfig 'k' reaches another cluster"}
        fake = FakeModules(installed=installed, attached=True, cluster_identity=wrong)

        result = run("remove", fake, tls={"secret_name": "s"}, tls_secret={"certificate": "c"})

        assert fake.sent == []
        assert result["failed_step"] == "Check that the connection reaches the cluster"

    def test_check_mode_removes_nothing(self):
        fake = deployed()

        result = run("remove", fake, check_mode=True)

        assert fake.sent == []
        assert result["msg"].startswith("would be removed: compute edge, extension azureml")
