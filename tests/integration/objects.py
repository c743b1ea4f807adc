# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubernetes objects that tests put into a cluster."""

from __future__ import annotations

DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")


def definition(group: str, plural: str, kind: str, scope: str = "Namespaced", version: str = "v1alpha1") -> dict:
    """The C(spec) of a CustomResourceDefinition that takes anything."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "group": group,
        "scope": scope,
        "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
        "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
    }
