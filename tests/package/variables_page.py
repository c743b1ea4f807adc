# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write docs/variables.md, the table of all variables, from the argument specs of the role."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/variables.md"
SPECS = ROOT / "roles/azureml/meta/argument_specs.yml"
DEFAULTS = ROOT / "roles/azureml/defaults/main.yml"
REST = "Extension"
# Titles and name patterns of the groups. Variables that match no pattern are in group C(REST).
GROUPS = (
    ("Required", "resource_group"),
    ("Cluster and connection", "cluster_name|cluster_type|subscription_id|sign_in|kubernetes|kubernetes_via"),
    (REST, ""),
    (
        "Inference",
        "inference_service|inference_router_ha|tls|tls_secret|allow_insecure_connections|in_cluster_tls",
    ),
    ("Compute", "workspace|computes?|purge_instance_types|force_reattach"),
    ("Waiting", "extension_timeout|readiness_timeout|attach_timeout|progress_interval"),
    ("Rollout and upgrade", "waves|max_failures|soak|rollback"),
    ("Removal", "remove_resources"),
    ("Checks", "prove|prove_job|skip_checks|fail_on|minimum_agent_version|components"),
    ("Nodes and their machines", "nodes"),
    ("Playbooks", "processes|report_hosts"),
)
# Variables of the playbooks, which are not in the argument specs of the role.
OF_PLAYBOOKS = {
    "azureml_hosts": ("str", "all", "Pattern of the hosts that a playbook works on. It must not be empty."),
    "azureml_confirm": (
        "int",
        "",
        "Number of clusters that playbooks C(detach) and C(remove) may change without C(--limit) or C(azureml_hosts).",
    ),
    "azureml_machines": (
        "str",
        "azureml_machines",
        "Pattern of the hosts that are machines of nodes, for playbook C(nodes).",
    ),
    "azureml_own_variables": (
        "list",
        "",
        "Names of your own variables that begin with C(azureml_). Names that begin with C(azureml_x_) need no entry.",
    ),
    "azureml_arc_in_process": (
        "bool",
        "true, on macOS false",
        "Whether modules run in the controller's own process if they can, which takes less processor time.",
    ),
}
HEAD = """\
<!--
Copyright (c) 2026, azureml.arc contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
{tag}: GPL-3.0-or-later
-->

# Variables

This page lists all variables of the role `azureml.arc.azureml` and of the playbooks. Set them for a host, for a group,
or with `-e`. A variable that is null or an empty string counts as not set. An unknown name that begins with `azureml_`
is an error. `ansible-doc -t role -e variables azureml.arc.azureml` shows the variables of a cluster.
""".replace("{tag}", "SPDX-License-Identifier")  # otherwise the license check reads it as a tag of this file


def page() -> str:
    """Return the content of the page."""
    entries = yaml.safe_load(SPECS.read_text(encoding="utf-8"))["argument_specs"]
    defaults = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
    grouped: dict[str, dict] = {title: {} for title, pattern in GROUPS}
    for name, option in entries["variables"]["options"].items():
        short = name.removeprefix("azureml_")
        title = next((title for title, pattern in GROUPS if re.fullmatch(pattern, short)), REST)
        grouped[title][name] = option
    grouped["Nodes and their machines"] |= entries["machine_variables"]["options"]
    rows = {title: list(_rows(options, defaults)) for title, options in grouped.items()}
    rows["Playbooks"] += [
        f"| `{name}` | {kind} | {_code(default)} | {_markdown(text)} |"
        for name, (kind, default, text) in OF_PLAYBOOKS.items()
    ]
    return "\n".join([HEAD, *(_section(title, one) for title, one in rows.items())])


def _section(title: str, rows: list[str]) -> str:
    return "\n".join(
        [f"## {title}", "", "| Variable | Type | Default | Description |", "| --- | --- | --- | --- |", *rows, ""]
    )


def _rows(options: Mapping[str, Mapping], defaults: Mapping, parent: str = "") -> Iterator[str]:
    for name, option in options.items():
        full = f"{parent}.{name}" if parent else name
        description = option["description"]
        sentences = [description] if isinstance(description, str) else description
        default = defaults.get(name, "")
        if _is_template(default):
            default = ""
        if default != "":  # it is in a separate column
            sentences = [one for one in sentences if not re.fullmatch(r"Defaults to V\(.*\)\.", one)]
        text = _markdown(" ".join(sentences))
        if "choices" in option:
            text += " One of " + ", ".join(f"`{one}`" for one in option["choices"]) + "."
        kind = f"list of {option['elements']}" if "elements" in option else option["type"]
        shown = "required" if option.get("required") else _code(default)
        yield f"| `{full}` | {kind} | {shown} | {text} |"
        # The entries of azureml_computes have the same fields as azureml_compute.
        if "options" in option and name != "azureml_computes":
            yield from _rows(option["options"], {}, full)


def _is_template(value: object) -> bool:
    return isinstance(value, str) and "{{" in value


def _code(value: object) -> str:
    if isinstance(value, bool):
        value = str(value).lower()
    return "" if value == "" else f"`{value}`"


def _markdown(text: str) -> str:
    """Convert Ansible's markup to Markdown in a table cell."""
    text = re.sub(r"(?:RV|O)\(([^)#]+)#module:([^)]+)\)", r"`\2` of module `\1`", text)
    text = re.sub(r"O\((?:[^)#]*#role:\w+:)?([^)]+)\)", r"`\1`", text)
    text = re.sub(r"[MP]\(([^)#]+)(?:#\w+)?\)", r"`\1`", text)
    text = re.sub(r"[CVE]\(([^)]+)\)", r"`\1`", text)
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
