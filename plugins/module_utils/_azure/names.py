# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Derive names of resources, and their tags. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

# The tag of resources that C(az k8s-extension) creates for a cluster.
CREATED_BY = {"created_by": "Azure Arc-enabled ML"}
_DIGEST_LENGTH = 6


def supporting_body(location: str) -> dict:
    """Return the body that creates a resource for a cluster, in the region of the cluster."""
    return {"location": location, "tags": CREATED_BY}


def namespace_body(location: str) -> dict:
    """Return the body that creates a namespace of Azure Relay or Azure Service Bus."""
    return {**supporting_body(location), "sku": {"name": "Standard"}}


def is_created_by_us(body: Mapping) -> bool:
    """Return whether a resource was created for the extension, by its tags.

    Names of tags compare without case, values with. Source:
    https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources
    """
    tags = {name.lower(): value for name, value in (body.get("tags") or {}).items()}
    return CREATED_BY.items() <= tags.items()


def derived_name(text: str, longest: int) -> str:
    """Derive a resource name as C(az k8s-extension) does: letters and digits, and a digest if it is too long.

    :param text: the source of the name.
    :param longest: the maximum number of characters.
    """
    name = re.sub("[^A-Za-z0-9]", "", text)
    if len(name) <= longest:
        return name
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return name[: longest - _DIGEST_LENGTH] + digest[:_DIGEST_LENGTH]
