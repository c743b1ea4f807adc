# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of a deployment and of a verification, by what their modules answer."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.deploy import Deployment
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import ClusterSteps
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.verify import Verification
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions

VARIABLES = {
    "azureml_settings_generation": "current",
    "azureml_compute": {"name": "edge", "workspace": {"name": "ws"}},
    "azureml_extension_timeout": 1800,
    "azureml_readiness_timeout": 900,
    "azureml_attach_timeout": 600,
}
READY = {
    "ready": True,
    "summary": "2 of 2 are ready",
    "problems": [],
    "components": [{"name": "a", "ready": True}],
    "pods": [{"name": "a-1", "ready": True}],
}
TYPES = [{"name": "gpu"}]


def plan(action: str) -> dict:
    return {"changed": action in ("create", "update"), "plan": {"action": action, "reason": action}}


class World:
    """Answers as modules do: a cluster without the extension, unless told otherwise.

    :param answers: by module, what differs from that: a result, or several, one after the other.
    """

    def __init__(self, **answers) -> None:
        self.taken: list[tuple[str, dict, bool]] = []
        self._installed = False
        self._answers = {name: iter(one) for name, one in answers.items()}

    def take(self, module: str, options: dict, check_mode: bool) -> dict:
        self.taken.append((module, options, check_mode))
        return {"changed": False, **next(self._answers.get(module, iter(())), getattr(self, f"_{module}")(options))}

    def _extension(self, options: dict) -> dict:
        present = {"provisioning_state": "Creating", "install_options": {"install_volcano": False}}
        if options.get("state") == "prepared":
            return {"changed": True}
        if "wait_timeout" in options:
            return {**plan("none"), "extension": {**present, "provisioning_state": "Succeeded"}, "openshift": False}
        compared = not any(one[1].get("state") == "prepared" for one in self.taken)
        return {**plan("create"), "extension": None if compared else present, "openshift": False}

    def _preflight(self, options: dict) -> dict:
        return {"checked": True, "openshift": False, "install_options": {"install_volcano": True}}

    def _pod_readiness(self, options: dict) -> dict:
        return READY

    def _compute(self, options: dict) -> dict:
        state = "Succeeded" if "wait_timeout" in options else "Creating"
        return {**plan("create"), "compute": {"provisioning_state": state}, "cluster_instance_types": []}

    def _instance_type(self, options: dict) -> dict:
        return {"changed": True}

    def _openshift_scc(self, options: dict) -> dict:
        return {"changed": True}

    def _tls_secret(self, options: dict) -> dict:
        return {"changed": True}


def deploy(world: World, check_mode=False, parts=("extension", "readiness", "attach"), **variables) -> dict:
    named = {f"azureml_{name}": value for name, value in variables.items()}
    options = ClusterOptions({**VARIABLES, **named}, str)
    steps = ClusterSteps(world.take, check_mode, itertools.count(1.0).__next__)
    deployment = Deployment(options, steps, parts)
    while not deployment.ended:
        deployment.advance()
    return deployment.outcome()


def verify(world: World) -> dict:
    steps = ClusterSteps(world.take, False, itertools.count().__next__)
    verification = Verification(ClusterOptions(VARIABLES, str), steps)
    verification.advance()
    assert verification.ended
    return verification.outcome()


def steps(outcome: dict) -> list[str]:
    return [one["module"] for one in outcome["steps"]]


INSTALLED = {
    **plan("none"),
    "extension": {"provisioning_state": "Succeeded", "install_options": {}},
    "openshift": False,
}
ATTACHED = {**plan("none"), "compute": {"provisioning_state": "Succeeded"}, "cluster_instance_types": []}
FAILED = {"failed": True, "msg": "it broke", "error": {"code": "Broken"}}


def test_a_cluster_that_has_nothing():
    world = World()

    outcome = deploy(world)

    assert steps(outcome) == [
        *("drift", "preflight", "extension", "extension", "extension"),
        *("pod_readiness", "compute", "compute"),
    ]
    assert outcome["changed"]
    assert not outcome["as_wanted"]
    assert outcome["plan"]["action"] == "create"
    assert outcome["extension"]["provisioning_state"] == "Succeeded"
    assert outcome["computes"][0]["compute"]["provisioning_state"] == "Succeeded"
    assert outcome["msg"] == "extension created, 2 of 2 are ready, compute created"
    assert [one["end"] - one["start"] for one in outcome["steps"]] == [1.0] * 8


def test_a_cluster_that_is_as_wanted_is_only_compared():
    world = World(extension=[INSTALLED], compute=[ATTACHED])

    outcome = deploy(world)

    assert steps(outcome) == ["drift"]
    assert [(module, check_mode) for module, _options, check_mode in world.taken] == [
        ("extension", True),
        ("pod_readiness", True),
        ("compute", True),
    ]
    assert (outcome["changed"], outcome["as_wanted"]) == (False, True)
    assert outcome["msg"] == "extension as it was, 2 of 2 are ready, compute as it was"


def test_pods_that_are_ready_are_not_kept():
    pods = [{"name": "a-1", "ready": True}, {"name": "a-2", "ready": False}]
    outcome = deploy(World(pod_readiness=[{**READY, "pods": pods}]))

    assert outcome["pod_readiness"]["pods"] == [pods[1]]
    assert outcome["pod_readiness"]["components"] == READY["components"]


def test_components_as_the_preflight_has_found_them_then_as_they_are_installed():
    world = World()

    deploy(world)

    seen = [one[1].get("install_volcano") for one in world.taken if one[0] in ("extension", "pod_readiness")]
    assert seen == [None, True, True, False, False]


@pytest.mark.parametrize(
    ("action", "again"), [("create", False), ("update", False), ("replace", False), ("adopt", True)]
)
def test_what_was_just_sent_is_not_sent_again(action, again):
    submitted = {**plan(action), "extension": {"provisioning_state": "Creating"}, "openshift": False}
    compute = {**plan(action), "compute": {}, "cluster_instance_types": []}
    world = World(extension=[plan(action), {}, submitted], compute=[compute])

    deploy(world)

    waits = [options["retry_failed"] for _module, options, _mode in world.taken if "retry_failed" in options]
    assert waits == [again, again]


def test_openshift_certificate_and_instance_types():
    compute = {**plan("create"), "compute": {}, "cluster_instance_types": TYPES}
    on_openshift = {**plan("create"), "openshift": True}
    world = World(extension=[on_openshift], compute=[compute])

    outcome = deploy(world, tls={"secret_name": "tls"}, tls_secret={})

    assert steps(outcome)[2:5] == ["openshift_scc", "tls_secret", "extension"]
    assert steps(outcome)[-1] == "instance_type"
    assert world.taken[-1][1]["instance_types"] == TYPES
    assert "openshift_scc" not in steps(deploy(World(extension=[on_openshift]), openshift=False))


def test_check_mode_waits_for_nothing():
    world = World()

    outcome = deploy(world, check_mode=True)

    assert all(check_mode for _module, _options, check_mode in world.taken)
    assert steps(outcome) == ["drift", "preflight", "extension", "extension", "compute"]
    assert outcome["msg"] == "extension would be created, pods not looked at, compute would be created"


@pytest.mark.parametrize(
    ("parts", "taken"),
    [
        (["extension"], ["drift", "preflight", "extension", "extension", "extension"]),
        (["readiness"], ["drift", "pod_readiness"]),
        (["attach"], ["drift", "compute", "compute"]),
    ],
)
def test_parts(parts, taken):
    assert steps(deploy(World(), parts=parts)) == taken


def test_what_the_comparison_cannot_see_the_preflight_explains():
    world = World(extension=[FAILED], preflight=[{**FAILED, "findings": ["no nodes"]}])

    outcome = deploy(world)

    assert steps(outcome) == ["drift", "preflight"]
    assert (outcome["failed"], outcome["changed"]) == (True, False)
    assert outcome["failed_step"] == "Check whether the cluster can take the extension"
    assert outcome["msg"] == "Check whether the cluster can take the extension: it broke"
    assert outcome["findings"] == ["no nodes"]
    assert outcome["error"] == {"code": "Broken"}


@pytest.mark.parametrize(
    ("pods", "message"),
    [
        ({**READY, "problems": ["pod x: ImagePullBackOff"]}, "it broke Not ready: pod x: ImagePullBackOff"),
        (READY, "it broke"),
        (FAILED, "it broke The pods could not be looked at: it broke"),
    ],
)
def test_an_installation_that_fails_names_the_pods_to_blame(pods, message):
    submitted = {**plan("create"), "extension": {"provisioning_state": "Creating"}, "openshift": False}
    world = World(extension=[plan("create"), {}, submitted, FAILED], pod_readiness=[pods])

    outcome = deploy(world)

    assert outcome["msg"] == f"Wait until the extension is installed: {message}"
    assert outcome["changed"]
    assert outcome["plan"]["action"] == "create"


def test_what_nobody_has_thought_of_fails_the_cluster_alone():
    outcome = deploy(World(compute=[{"plan": {}}]))

    assert outcome["failed"]
    assert outcome["msg"].startswith("Unexpected KeyError: ")
    assert outcome["plan"]["action"] == "create"


def test_warnings_and_differences_are_collected():
    first = {"checked": True, "warnings": ["old agent"], "diff": {"after": "a"}}
    second = {**READY, "warnings": ["old agent"], "diff": [{"after": "b"}]}
    world = World(preflight=[first], pod_readiness=[second])

    outcome = deploy(world)

    assert outcome["warnings"] == ["old agent"]
    assert outcome["diff"] == [{"after": "a"}, {"after": "b"}]


CURRENT = {**INSTALLED, "extension": {**INSTALLED["extension"], "current_version": "1.1.61"}}
UPDATE = {"action": "update", "reason": "it differs", "settings": {}, "properties": {}}
DIFFERENT = {**CURRENT, "changed": True, "plan": UPDATE}


def test_a_cluster_that_is_verified():
    world = World(
        extension=[CURRENT], compute=[{**ATTACHED, "cluster_instance_types": TYPES}], instance_type=[{"changed": False}]
    )

    outcome = verify(world)

    assert steps(outcome) == ["extension", "pod_readiness", "compute", "instance_type"]
    assert all(check_mode for _module, _options, check_mode in world.taken)
    assert (outcome["as_wanted"], outcome["changed"], outcome["findings"]) == (True, False, [])
    assert outcome["msg"] == "extension 1.1.61 as wanted, 2 of 2 are ready, compute attached"


def test_all_that_is_not_as_wanted_is_found():
    world = World(extension=[DIFFERENT], pod_readiness=[{**READY, "problems": ["pod a-1 is pending"]}])

    outcome = verify(world)

    assert (outcome["failed"], outcome["as_wanted"], outcome["changed"]) == (True, False, False)
    assert outcome["findings"] == ["extension: it differs", "pods: pod a-1 is pending", "compute: create"]
    assert outcome["msg"] == "; ".join(outcome["findings"])


def test_what_cannot_be_looked_at_is_no_finding():
    outcome = verify(World(extension=[CURRENT], pod_readiness=[FAILED]))

    assert steps(outcome) == ["extension", "pod_readiness"]
    assert outcome["msg"] == "Look at the pods: it broke"
    assert outcome["extension"]["current_version"] == "1.1.61"
