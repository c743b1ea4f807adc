# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels and taints: the changes of a node, and the pods that a taint evicts."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._node.taints import (
    Taint,
    checked_labels,
    checked_taints,
    evicts,
    plan,
)

OTHER = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
OURS = Taint("ml.azure.com/amlarc", "NoSchedule", "true")
EVICTING = Taint("ml.azure.com/compute", "NoExecute", "edge")


def node(*taints, **labels):
    return {"metadata": {"name": "n", "labels": labels}, "spec": {"taints": list(taints)}}


@pytest.mark.parametrize(
    ("body", "present", "patch"),
    [
        (node(), True, {"metadata": {"labels": {"pool": "ml"}}, "spec": {"taints": [OURS.body()]}}),
        (node(OURS.body(), pool="ml"), True, {}),
        (node(OURS.body(), OTHER, pool="x"), True, {"metadata": {"labels": {"pool": "ml"}}}),
        (node(OTHER, pool="ml"), True, {"spec": {"taints": [OTHER, OURS.body()]}}),
        (node({**OURS.body(), "value": "false"}, pool="ml"), True, {"spec": {"taints": [OURS.body()]}}),
        (node({**OURS.body(), "effect": "NoExecute"}), False, {}),
        (node(OTHER, other="ml"), False, {}),
        (
            node(OURS.body(), OTHER, pool="x"),
            False,
            {"metadata": {"labels": {"pool": None}}, "spec": {"taints": [OTHER]}},
        ),
        ({"metadata": {"name": "n"}}, False, {}),
    ],
)
def test_patch_contains_only_the_changed_labels_and_taints(body, present, patch):
    change = plan(body, {"pool": "ml"}, [OURS], present)
    assert change.patch() == patch
    assert bool(change) is bool(patch)


def pod(*tolerations, phase="Running"):
    return {"metadata": {"name": "p"}, "spec": {"tolerations": list(tolerations)}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("taint", "body", "evicted"),
    [
        (EVICTING, pod(), True),
        (OURS, pod(), False),
        (EVICTING, pod(phase="Succeeded"), False),
        (EVICTING, pod({"operator": "Exists"}), False),
        (EVICTING, pod({"operator": "Exists", "effect": "NoSchedule"}), True),
        (EVICTING, pod({"key": EVICTING.key, "value": "edge"}), False),
        (EVICTING, pod({"key": EVICTING.key, "value": "other", "effect": "NoExecute"}), True),
        (EVICTING, pod({"key": EVICTING.key, "operator": "Exists", "effect": "NoExecute"}), False),
        (EVICTING, pod({"key": EVICTING.key, "operator": "Exists", "tolerationSeconds": 300}), True),
        (EVICTING, pod({"value": "edge"}), True),
        (EVICTING, {"metadata": {"name": "p"}}, True),
    ],
)
def test_taint_evicts_pods_that_do_not_tolerate_it(taint, body, evicted):
    assert evicts(taint, body) is evicted


def taint(key="amlarc", value=None, effect="NoSchedule"):
    return {"key": f"ml.azure.com/{key}", "value": value, "effect": effect}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([taint(value="false")], r"taints\[0\].value: ml.azure.com/amlarc accepts only the value 'true'"),
        ([taint(), taint("compute")], r"taints\[1\].value is missing: ml.azure.com/compute must name the resource"),
        ([taint("compute", "a b")], r"taints\[0\].value: 'a b' is not a valid label value"),
        ([taint(), taint()], "taints: duplicate ml.azure.com/amlarc with effect NoSchedule"),
    ],
)
def test_invalid_taint_is_rejected_with_its_path(given, message):
    with pytest.raises(AzureMLError, match=message):
        checked_taints(given, present=True)


def test_values_of_labels_and_taints_become_strings():
    assert checked_taints([taint("compute")], present=False) == [Taint("ml.azure.com/compute", "NoSchedule")]
    assert checked_labels({"pool": "ml", "gone": None, "count": 3}) == {"pool": "ml", "gone": "", "count": "3"}
    with pytest.raises(AzureMLError, match=r"labels.pool: 'a b' is not a valid label value"):
        checked_labels({"pool": "a b"})
