# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the secret values of a call, and hide them in its result.

Works like C(AnsibleModule), whose functions for this are private or deprecated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core.options import is_inline

try:
    from ansible.module_utils.secrets import register_secret  # from ansible-core 2.22
except ImportError:
    register_secret = None

REPLACEMENT = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
PART_REPLACEMENT = "********"


def secret_values(argument_spec: Mapping, params: Mapping) -> set[str]:
    """Return the values of options that must be hidden.

    The path of a kubeconfig is not secret, so that errors can name it; its content is.

    :param params: the options, whether they are valid or not.
    """
    found: set[str] = set()
    for name, spec in argument_spec.items():
        value = params.get(name)
        if spec.get("no_log") and not (name == "kubeconfig" and not is_inline(value)):
            found.update(_texts(value))
        elif "options" in spec:
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, Mapping):
                    found |= secret_values(spec["options"], one)
                elif any(option.get("no_log") for option in spec["options"].values()):
                    found.update(_texts(one))  # of an unexpected type, so a secret may be anywhere in it
    return found


def register(secrets: Iterable[str]) -> None:
    """Let Ansible mask values in all its output, if it supports that."""
    if register_secret:
        for secret in secrets:
            register_secret(secret)


def without_secrets(value, secrets: Collection[str]):
    """Return a result with its secrets replaced."""
    longest_first = sorted(secrets, key=len, reverse=True)  # one may be a part of another

    def clean(one):
        if isinstance(one, str):
            if one in secrets:
                return REPLACEMENT
            for secret in longest_first:
                one = one.replace(secret, PART_REPLACEMENT)
            return one
        if one is None or isinstance(one, bool):
            return one
        if isinstance(one, Mapping):
            return {key: clean(item) for key, item in one.items()}
        if isinstance(one, (list, tuple, set, frozenset)):
            return [clean(item) for item in one]
        if isinstance(one, (int, float)) and any(text in str(one) for text in secrets):
            return REPLACEMENT
        return one

    return clean(value) if secrets else value


def _texts(value) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple, set)):
        for one in value:
            yield from _texts(one)
    elif value is not None and not isinstance(value, bool) and str(value):
        yield str(value)
