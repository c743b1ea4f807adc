# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All examples in the documentation are valid for Ansible, the shell or the tool that they use."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from documented import PAGES, commands, examples, files_of
from playbooks import AWX_COLLECTIONS, COLLECTIONS, ROOT

# The hosts in the examples. The examples run in a folder with this inventory.
HOSTS = {"shop-k3s": {}, "plant-7": {}}
INVENTORY = {
    "all": {
        "hosts": HOSTS,
        "vars": {"azureml_resource_group": "rg"},
        "children": {"country_de": {"hosts": HOSTS}, "extension_failed": {"hosts": HOSTS}},
    }
}
INVENTORY_FILES = ("inventory.yml", "azureml_clusters.yml")


def variables() -> dict:
    """Return the specification of all variables of the roles."""
    found = {}
    for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            found |= entry["options"]
    return found


def assert_variables(given: dict) -> None:
    """Assert that variables are known and valid: of the roles, of the AWX playbook, or of the rulebook."""
    others = yaml.safe_load((ROOT / "playbooks/awx/variables.yml").read_text(encoding="utf-8")).keys()
    others |= set(re.findall(r"azureml_\w+", (ROOT / "extensions/eda/rulebooks/fleet.yml").read_text(encoding="utf-8")))
    ours = {name: value for name, value in given.items() if name.startswith("azureml_") and name not in others}
    validation = ArgumentSpecValidator(variables()).validate({"azureml_resource_group": "rg", **ours})
    assert validation.error_messages == []


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs a command in a folder with the inventory of the examples."""
    for name in INVENTORY_FILES:
        (tmp_path / name).write_text(yaml.safe_dump(INVENTORY), encoding="utf-8")
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", f"{COLLECTIONS}:{AWX_COLLECTIONS}")

    def run(*command: str) -> str:
        finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    return run


@pytest.mark.parametrize("example", examples("yaml"), ids=str)
def test_yaml_example_is_valid(example, run, tmp_path, monkeypatch):
    content = DataLoader().load(example.content)
    path = tmp_path / "example.yml"
    path.write_text(example.content, encoding="utf-8")
    if isinstance(content, list):
        for play in content:
            for role in play.get("roles", ()):
                assert_variables(role["vars"])
        run("ansible-playbook", "--syntax-check", "-i", "inventory.yml", str(path))
    elif "ansible-navigator" in content:
        monkeypatch.setenv("ANSIBLE_NAVIGATOR_CONFIG", str(path))
        (tmp_path / ".kube").mkdir()
        command = ("run", "azureml.arc.deploy", "--syntax-check", "-i", "inventory.yml")
        run("ansible-navigator", *command, "--execution-environment", "false")
    elif "$schema" in content:  # a job of Azure Machine Learning
        assert {"command", "environment", "compute"} <= set(content)
    elif "plugin" in content:
        documented = json.loads(run("ansible-doc", "--type", "inventory", "--json", content["plugin"]))
        assert set(content) <= set(documented[content["plugin"]]["doc"]["options"])
    elif all(name.startswith("azureml_") and name != "azureml_machines" for name in content):
        assert_variables(content)
    else:
        listed = json.loads(run("ansible-inventory", "-i", str(path), "--list"))
        hosts = listed["_meta"]["hostvars"]
        assert hosts
        for given in hosts.values():
            assert_variables(given)


CONSOLE = [command for page in PAGES for command in commands(page)]


@pytest.mark.parametrize("command", CONSOLE, ids=str)
def test_command_is_valid(command, run, tmp_path):
    """Also commands that C(test_documented_commands) does not run."""
    for name, content in files_of(command.page).items():
        if name not in INVENTORY_FILES:
            (tmp_path / name).write_text(content, encoding="utf-8")
    run("bash", "-n", "-c", command.text)
    words = shlex.split(command.text, comments=True)
    if words[0] == "ansible-playbook":
        run(*words, "--syntax-check")
    elif words[0] in ("ansible-inventory", "ansible-doc"):
        run(*words)
    elif words[0] == "make":
        run("make", "--dry-run", "--directory", str(ROOT), *words[1:])
    elif words[0] == "nox":
        listed = run("nox", "--noxfile", str(ROOT / "noxfile.py"), "--list")
        assert words[words.index("-s") + 1] in listed


@pytest.mark.parametrize("example", examples("json"), ids=str)
def test_json_example_is_valid(example):
    json.loads(example.content)


def test_blocks_of_all_languages_are_checked():
    assert {example.language for example in examples()} == {"yaml", "json", "console", "text", "{toctree}"}
    assert len(CONSOLE) > 30


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    titles = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_targets_of_links_exist(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        assert os.path.commonpath([ROOT, file]) == str(ROOT), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"
