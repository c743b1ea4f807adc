# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check labels and label selectors as Kubernetes checks them. Pure.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

PREFIX = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
WORD = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
KEY = rf"({PREFIX}/)?{WORD}"
VALUE = rf"({WORD})?"
# With spaces only where they separate words; others are removed before.
REQUIREMENT = rf"(!?{KEY}|{KEY}(==?|!=){VALUE}|{KEY}[<>][0-9]+|{KEY} (in|notin) ?\({VALUE}(,{VALUE})*\))"
SELECTOR = re.compile(rf"{REQUIREMENT}(,{REQUIREMENT})*")
AROUND_SYMBOLS = re.compile(r"[ \t\r\n]*([=!<>(),])[ \t\r\n]*")
SPACES = re.compile(r"[ \t\r\n]+")


def label_key(key: str, path: str) -> str:
    """Return the key of a label unchanged.

    :param path: its place in the options, for the error.
    :raises AzureMLError: if it is invalid.
    """
    prefix = key.rpartition("/")[0]
    if not re.fullmatch(KEY, key) or len(prefix) > 253:
        raise AzureMLError(
            f"{path}: '{key}' is not a valid label key: use letters, digits, '-', '_' and '.', after a DNS name and '/'"
            " if it has a prefix"
        )
    return key


def label_value(value: object, path: str) -> str:
    """Return the value of a label as text; for the parameters see C(label_key)."""
    text = str(value)
    if isinstance(value, bool):
        raise AzureMLError(f"{path}: {value} must be in quotes, because the value of a label is text")
    if not re.fullmatch(VALUE, text):
        raise AzureMLError(
            f"{path}: '{text}' is not a valid label value: use at most 63 letters, digits, '-', '_' and '.', with a"
            " letter or digit first and last"
        )
    return text


def label_selector(selectors: Sequence[str], path: str) -> str:
    """Return label selectors as one, which selects the objects that match all of them.

    :raises AzureMLError: if it is invalid.
    """
    joined = ",".join(selectors)
    normal = SPACES.sub(" ", AROUND_SYMBOLS.sub(r"\1", joined)).strip()
    if joined.strip() and not SELECTOR.fullmatch(normal):
        raise AzureMLError(
            f"{path}: '{joined}' is not a valid label selector like pool=gpu, pool!=gpu, pool in (gpu, cpu), pool or"
            " !pool"
        )
    return joined
