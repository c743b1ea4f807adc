# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator of AWX answers like a real AWX 24.6. The cases are recorded requests and responses."""

from __future__ import annotations

import asyncio
import json

import pytest
from awx_setup import create_project
from support import run_coroutine

from awx import deletion, launches, surveys
from awx.permissions import User
from awx.rules import InvalidError
from awx.store import Store

DAILY = "DTSTART:20240101T020000Z RRULE:FREQ=DAILY;INTERVAL=1"
PASSWORD = {"question_name": "Key", "variable": "key", "type": "password", "required": False}


@pytest.fixture
def store(tmp_path):
    base = tmp_path / "projects"
    base.mkdir()
    return Store(base)


@pytest.fixture
def content(store, tmp_path):
    """A job template, its project and its inventory: their ids by the names of fields that refer to them."""
    needed = create_project(store, tmp_path / "projects")
    prompts = {"ask_limit_on_launch": True, "ask_job_slice_count_on_launch": True}
    template = store.create("job_templates", {**needed, **prompts, "name": "verify", "playbook": "verify.yml"})
    return {**needed, "unified_job_template": template["id"]}


def type_id(store, namespace: str) -> int:
    return next(one["id"] for one in store.items["credential_types"].values() if one["namespace"] == namespace)


def create_credential(store, content, namespace: str, name: str = "one", inputs: dict | None = None) -> dict:
    given = {"organization": content["organization"], "credential_type": type_id(store, namespace)}
    return store.create("credentials", {"name": name, "inputs": inputs or {}, **given})


@pytest.mark.parametrize(
    ("namespaces", "answer"),
    [
        (["azure_rm"], None),
        (["scm"], "Cannot assign a Credential of kind `scm`."),
        (["registry"], "Cannot assign a Credential of kind `registry`."),
        (["galaxy_api_token"], "Cannot assign a Credential of kind `galaxy`."),
        (["azure_rm", "azure_rm"], "Cannot assign multiple Microsoft Azure Resource Manager credentials."),
    ],
)
def test_job_template_accepts_one_credential_of_each_type_for_jobs(store, content, namespaces, answer):
    template = store.items["job_templates"][content["unified_job_template"]]
    created = [create_credential(store, content, one, str(index)) for index, one in enumerate(namespaces)]

    def associate():
        for one in created:
            store.associate("job_templates", template, "credentials", one["id"], False)

    if answer is None:
        associate()
    else:
        with pytest.raises(InvalidError) as refused:
            associate()
        assert refused.value.answer == {"error": answer}


@pytest.mark.parametrize(
    ("endpoint", "given", "answer"),
    [
        ("credentials", {"organization": None}, "Missing 'user', 'team', or 'organization'."),
        ("credentials", {"inputs": {"subscription": None}}, None),
        ("schedules", {"rrule": DAILY}, None),
        ("schedules", {"rrule": "DTSTART;TZID=Europe/Berlin:20240101T020000 RRULE:FREQ=DAILY;INTERVAL=1"}, None),
        ("schedules", {"rrule": "DTSTART;TZID=Nowhere:20240101T020000 RRULE:FREQ=DAILY;INTERVAL=1"}, "A valid TZID"),
        ("schedules", {"rrule": "DTSTART;TZID=Europe/Berlin:20240101T020000Z RRULE:FREQ=DAILY;INTERVAL=1"}, "TZID"),
        ("schedules", {"rrule": f"{DAILY};COUNT=1000"}, "COUNT > 999 is unsupported"),
        ("schedules", {"rrule": f"{DAILY};UNTIL=20250101"}, "rrule parsing failed"),
        ("schedules", {"rrule": f"{DAILY};BYDAY=2MO"}, "BYDAY with numeric prefix not supported"),
        ("schedules", {"rrule": DAILY.replace("DAILY", "SECONDLY")}, "SECONDLY is not supported"),
        ("schedules", {"rrule": ""}, "This field"),
        ("notification_templates", {"http_method": "GET"}, "HTTP method must be either 'POST' or 'PUT'."),
        ("notification_templates", {"http_method": "PUT"}, None),
    ],
)
def test_invalid_item_is_rejected_with_the_message_of_awx(store, content, endpoint, given, answer):
    hook = {"url": "https://example.com", "headers": {}}
    items = {
        "credentials": {"credential_type": type_id(store, "azure_rm"), "organization": content["organization"]},
        "schedules": {"unified_job_template": content["unified_job_template"]},
        "notification_templates": {
            "organization": content["organization"],
            "notification_type": "webhook",
            "notification_configuration": {**hook, **given},
        },
    }
    create = {"name": "one", **items[endpoint], **given}

    if answer is None:
        assert store.create(endpoint, create)["id"]
    else:
        with pytest.raises(InvalidError, match=answer):
            store.create(endpoint, create)


@pytest.mark.parametrize(
    ("kind", "configuration"),
    [
        ("pagerduty", {"subdomain": "s", "token": "t", "service_key": "k", "client_name": "c"}),
        ("mattermost", {"mattermost_url": "https://example.com", "mattermost_no_verify_ssl": False}),
    ],
)
def test_each_type_of_notification_is_accepted(store, content, kind, configuration):
    given = {"organization": content["organization"], "notification_type": kind}

    assert store.create("notification_templates", {**given, "name": "n", "notification_configuration": configuration})


def test_organization_of_an_execution_environment_cannot_be_changed(store, content):
    given = {"name": "azureml", "image": "image:1", "organization": content["organization"]}
    environment = store.create("execution_environments", given)
    other = store.create("organizations", {"name": "other"})["id"]

    with pytest.raises(InvalidError, match="Cannot change the organization of an execution environment"):
        store.change("execution_environments", environment, {"organization": other})
    with pytest.raises(InvalidError, match="with this name already exists"):
        store.create("execution_environments", {**given, "organization": other})


@pytest.mark.parametrize(
    ("case", "status", "answer"),
    [
        ("type in use", 403, "Credential types that are in use cannot be deleted"),
        ("running job", 409, "Resource is being used by running jobs."),
        ("running job of the project", 409, "Resource is being used by running jobs."),
        ("pending notification", 405, "Delete not allowed while there are pending notifications"),
        ("inventory twice", 400, "Inventory is already pending deletion."),
    ],
)
def test_item_in_use_is_not_deleted(store, content, case, status, answer):
    if case == "type in use":
        create_credential(store, content, "azure_rm")
        endpoint, number = "credential_types", type_id(store, "azure_rm")
    elif case == "pending notification":
        hook = {"url": "https://example.com", "headers": {}}
        given = {"name": "n", "notification_type": "webhook", "notification_configuration": hook}
        number = store.create("notification_templates", {**given, "organization": content["organization"]})["id"]
        store.pending_notifications.add(number)
        endpoint = "notification_templates"
    elif case == "inventory twice":
        endpoint, number = "inventories", content["inventory"]
        store.items[endpoint][number]["pending_deletion"] = True
    else:
        launches.launch_job(store, store.items["job_templates"][content["unified_job_template"]], {}, hosts=1)
        endpoint = "projects" if "project" in case else "job_templates"
        number = content["project"] if "project" in case else content["unified_job_template"]

    with pytest.raises(InvalidError, match=answer) as refused:
        deletion.request_deletion(store, endpoint, number)

    assert refused.value.status == status
    assert number in store.items[endpoint]


def test_deleting_an_organization_deletes_its_credentials_and_keeps_templates_without_it(store, content):
    create_credential(store, content, "azure_rm")
    store.create("teams", {"name": "team", "organization": content["organization"]})

    assert deletion.request_deletion(store, "organizations", content["organization"]) == 204

    assert not store.items["credentials"]
    assert not store.items["teams"]
    assert not store.items["inventories"]
    assert store.items["projects"][content["project"]]["organization"] is None
    template = store.items["job_templates"][content["unified_job_template"]]
    with pytest.raises(InvalidError, match="Job Template inventory is missing or undefined."):
        launches.launch_job(store, template, {}, hosts=1)


def test_deleted_inventory_is_pending_first_and_blocks_its_name(store, content):
    async def delete() -> tuple[int, bool, bool]:
        status = deletion.request_deletion(store, "inventories", content["inventory"])
        pending = store.items["inventories"][content["inventory"]]["pending_deletion"]
        with pytest.raises(InvalidError, match="already exists"):
            store.create("inventories", {"name": "ml", "organization": content["organization"]})
        await asyncio.sleep(1)
        return status, pending, content["inventory"] in store.items["inventories"]

    assert run_coroutine(delete()) == (202, True, False)


@pytest.mark.parametrize(("slices", "hosts", "jobs"), [(3, 4, 3), (3, 2, 2), (3, 1, 1), (1, 4, 1), (3, 0, 1)])
def test_number_of_slices_is_limited_by_the_number_of_hosts(store, content, slices, hosts, jobs):
    template = store.items["job_templates"][content["unified_job_template"]]

    launched, _ignored = launches.launch_job(store, template, {"limit": "arc-1", "job_slice_count": slices}, hosts)

    assert [one["limit"] for one in launched] == ["arc-1"] * jobs


def test_answers_of_a_job_are_json_text_without_passwords(store, content):
    template = store.items["job_templates"][content["unified_job_template"]]
    template["survey_enabled"] = True
    store.surveys[template["id"]] = {"name": "", "description": "", "spec": [PASSWORD]}
    (job,), _ignored = launches.launch_job(store, template, {"extra_vars": {"key": "secret"}}, hosts=1)

    assert json.loads(store.shown("jobs", job)["extra_vars"]) == {"key": "$encrypted$"}


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        ({**PASSWORD, "default": "$encrypted$"}, "reserved keyword"),
        ({**PASSWORD, "type": "float", "default": 1}, None),
    ],
)
def test_default_of_a_survey_question_is_validated(question, problem):
    found = surveys.problem({"name": "", "description": "", "spec": [question]})

    assert (problem in found) if problem else found is None


@pytest.fixture
def workflow(store, content):
    """A workflow with two nodes, of which the second runs if the first fails."""
    workflow = store.create("workflow_job_templates", {"name": "fleet", "organization": content["organization"]})
    nodes = "workflow_job_template_nodes"
    given = {"workflow_job_template": workflow["id"], "unified_job_template": content["unified_job_template"]}
    first, after = (store.create(nodes, {**given, "identifier": name}) for name in ("first", "after"))
    store.associate(nodes, first, "failure_nodes", after["id"], False)
    return workflow


def test_failed_node_with_a_failure_path_does_not_fail_the_workflow(store, content, workflow):
    successful = launches.launch_workflow(store, workflow, {})
    first, after = successful["nodes"]
    assert (successful["status"], successful["nodes"][after]) == ("successful", "not run")

    store.outcomes["verify"] = "failed"
    assert launches.launch_workflow(store, workflow, {})["status"] == "failed"  # because the second node fails, too
    store.items["workflow_job_template_nodes"][after]["unified_job_template"] = store.create(
        "job_templates",
        {**{name: content[name] for name in ("project", "inventory")}, "name": "report", "playbook": "report.yml"},
    )["id"]
    handled = launches.launch_workflow(store, workflow, {})

    assert (handled["status"], handled["nodes"][first]) == ("successful", "failed")


def test_limit_of_a_workflow_replaces_the_limits_of_its_nodes(store, workflow):
    with pytest.raises(InvalidError, match="Field is not configured to prompt on launch."):
        launches.launch_workflow(store, workflow, {"limit": "arc-1"})
    workflow["ask_limit_on_launch"] = True
    node = next(iter(store.items["workflow_job_template_nodes"].values()))
    node["limit"] = "all[0]"

    launches.launch_workflow(store, workflow, {"limit": "arc-1"})
    launches.launch_workflow(store, workflow, {})

    assert [one["limit"] for one in store.items["jobs"].values()] == ["arc-1", "all[0]"]


@pytest.mark.parametrize("decision", ["successful", "failed"])
def test_workflow_waits_for_its_approval(store, content, decision):
    workflow = store.create("workflow_job_templates", {"name": "fleet", "organization": content["organization"]})
    node = store.create(
        "workflow_job_template_nodes", {"workflow_job_template": workflow["id"], "identifier": "approval"}
    )
    store.create_approval(node, {"name": "approve", "timeout": 0})
    job = launches.launch_workflow(store, workflow, {})
    assert job["status"] == "running"

    launches.decide(store, next(iter(store.items["workflow_approvals"].values())), decision)

    assert job["status"] == decision


@pytest.mark.parametrize(
    ("user", "may"),
    [
        (User("admin", "", superuser=True), [True, True, True, True]),
        (User("organization", "", organization=1), [False, False, True, True]),
        (User("operator", ""), [False, False, False, False]),
    ],
)
def test_permissions_depend_on_the_kind_of_user(user, may):
    requests = [("POST", "credential_types"), ("DELETE", "organizations"), ("PATCH", "organizations")]

    assert [user.may(*one) for one in [*requests, ("POST", "projects")]] == may
    assert user.sees("job_templates", {"id": 5, "organization": 1}) is (user.name != "operator")
    assert user.sees("job_templates", {"id": 6, "organization": 2}) is user.superuser
    assert user.sees("credentials", {"id": 7, "organization": 1}) is (user.name != "operator")


@pytest.mark.parametrize(
    ("endpoint", "changes", "refused"),
    [
        ("job_templates", {"playbook": "azureml.arc.deploy"}, "Playbook not found for project."),
        ("job_templates", {"inventory": None}, "You must either set a default value or ask to prompt on launch."),
        ("workflow_job_template_nodes", {"forks": 5}, "Field is not configured to prompt on launch."),
        ("workflow_job_template_nodes", {"extra_data": {"azureml_other": 1}}, "not allowed on launch"),
        ("workflow_job_template_nodes", {"extra_data": {"azureml_soak": "long"}}, "expected to be an integer"),
        ("projects", {"scm_type": "", "local_path": "nowhere"}, "already being used by another manual project"),
        ("schedules", {"rrule": "RRULE:FREQ=DAILY;INTERVAL=1"}, "Valid DTSTART required"),
        ("credentials", {"inputs": {"host": "https://localhost"}}, "Additional properties are not allowed"),
    ],
)
def test_invalid_change_is_rejected_with_the_message_of_awx(small_setup, endpoint, changes, refused):
    """The unchanged item is valid."""
    item = small_setup.items[endpoint][max(small_setup.items[endpoint])]
    small_setup.change(endpoint, item, {})

    with pytest.raises(InvalidError, match=refused):
        small_setup.change(endpoint, item, changes)


@pytest.fixture
def small_setup(store, content):
    """A job template with a survey, a credential, and a workflow node and a schedule that launch it."""
    create_credential(store, content, "azure_rm", inputs={"client": "c"})
    template = store.items["job_templates"][content["unified_job_template"]]
    template["survey_enabled"] = True
    question = {"question_name": "Soak", "variable": "azureml_soak", "type": "integer", "required": True}
    store.surveys[template["id"]] = {"name": "", "description": "", "spec": [question]}
    workflow = store.create("workflow_job_templates", {"organization": content["organization"], "name": "fleet"})["id"]
    launch = {"unified_job_template": template["id"], "limit": "all[0]"}
    store.create("workflow_job_template_nodes", {**launch, "workflow_job_template": workflow, "identifier": "canary"})
    store.create("schedules", {**launch, "name": "nightly", "rrule": DAILY})
    return store
