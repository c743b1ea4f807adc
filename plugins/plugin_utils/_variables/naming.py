# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace the options of modules in messages by the variables that they come from. Pure.

Modules name their options, which the users of a playbook do not set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.plugin_utils._variables.tables import (
    CLUSTER,
    COMPUTE,
    EXTENSION,
    INSTALL,
    PREFLIGHT,
    READINESS,
)

ALL = {**CLUSTER, **INSTALL, **PREFLIGHT, **READINESS, **EXTENSION, **COMPUTE}
# Options whose names are also words count as options only after C(set) or C(Set).
DISTINCT = {option: variable for option, variable in ALL.items() if "_" in option}
DISTINCT |= {
    "create_namespace": "azureml_compute.create_namespace",
    **{option: f"azureml_sign_in.{option}" for option in ("auth_source", "cli_timeout", "x509_certificate_path")},
}
# Options of a connection to a cluster, which the variables have together.
CONNECTION = ("(kubeconfig, context, host)", "(azureml_kubernetes)")
WORDS = {option: variable for option, variable in ALL.items() if "_" not in option and option != "name"}
PARTS = {
    "tls": "certificate|private_key|cname|secret_name|key_vault",
    "workspace": "name|resource_group|subscription_id",
}
PATTERN = re.compile(
    "|".join(
        [
            rf"(?<![\w.])(?:{'|'.join(DISTINCT)})(?!\w)",
            rf"(?<=[Ss]et )(?:{'|'.join(WORDS)})(?!\w)",
            *(rf"(?<![\w.]){option}(?=\.(?:{parts})(?!\w))" for option, parts in PARTS.items()),
        ]
    )
)


def in_variables(text: str) -> str:
    """Return a message with the variables of options instead of the options."""
    return PATTERN.sub(lambda found: {**ALL, **DISTINCT}[found[0]], text.replace(*CONNECTION))


def result_in_variables(result: Mapping) -> dict:
    """Return the result of a failed module with its messages in variables."""
    return {
        name: _rewritten(value) if name in ("msg", "error", "findings") else value for name, value in result.items()
    }


def _rewritten(value: object) -> object:
    if isinstance(value, str):
        return in_variables(value)
    if isinstance(value, Mapping):
        return {name: _rewritten(one) for name, one in value.items()}
    return [_rewritten(one) for one in value] if isinstance(value, list) else value
