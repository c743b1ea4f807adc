# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile input as hypothesis strategies."""

from __future__ import annotations

import re

from hypothesis import strategies as st

# Input that a terminal, a browser, a parser or a shell might interpret.
ATTACKS = (
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "</script><script>alert(1)</script>",
    "]]><!-- --",
    "\x00",
    "\u202etxt.exe",
    "\ud800",
    "{{ lookup('pipe', 'id') }}",
    "$(touch /tmp/owned); `id` | ' \"",
    "' | project secrets //",
    "../../../etc/shadow",
    "..",
    "%2e%2e%2f",
    "a: &a [*a]\n- !!python/object/apply:os.system ['id']",
    "x" * 100_000,
)
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

texts = st.sampled_from(ATTACKS) | st.text(st.characters(), max_size=40)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
# Every JSON document.
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


def _some(**fields: st.SearchStrategy) -> st.SearchStrategy[dict]:
    """Return an object with some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


counts = st.integers(min_value=0, max_value=2**31 - 1)
conditions = st.lists(
    _some(type=st.sampled_from(("Ready", "PodScheduled", "ReplicaFailure")) | texts, status=texts, reason=texts)
    | _some(type=texts, status=st.sampled_from(("True", "False")), message=texts),
    max_size=3,
)
metadata = st.fixed_dictionaries(
    {"name": texts},
    optional={
        "generation": counts,
        "deletionTimestamp": texts,
        "ownerReferences": st.lists(
            st.fixed_dictionaries({"kind": texts, "name": texts}, optional={"controller": st.booleans()}), max_size=2
        ),
    },
)
terminations = st.fixed_dictionaries({"exitCode": counts}, optional={"reason": texts, "message": texts})
containers = st.lists(
    st.fixed_dictionaries(
        {"name": texts},
        optional={
            "restartCount": counts,
            "state": _some(waiting=_some(reason=texts, message=texts), terminated=terminations),
            "lastState": _some(terminated=terminations),
        },
    ),
    max_size=2,
)
# Pods and workloads with the types of the Kubernetes API and arbitrary strings.
pods = st.fixed_dictionaries(
    {"metadata": metadata},
    optional={
        "spec": _some(nodeName=texts),
        "status": _some(
            phase=st.sampled_from(("Pending", "Running", "Failed", "Succeeded")) | texts,
            reason=texts,
            message=texts,
            conditions=conditions,
            containerStatuses=containers,
            initContainerStatuses=containers,
        ),
    },
)
workloads = st.fixed_dictionaries(
    {"metadata": metadata},
    optional={
        "spec": _some(replicas=counts),
        "status": _some(
            observedGeneration=counts,
            replicas=counts,
            updatedReplicas=counts,
            availableReplicas=counts,
            readyReplicas=counts,
            conditions=conditions,
        ),
    },
)
