# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that follow from other names, and the tag of what is made under them. Pure."""

from __future__ import annotations

import hashlib
import re

# What C(az k8s-extension) tags the resources with that it creates beside a cluster.
CREATED_BY = {"created_by": "Azure Arc-enabled ML"}
_DIGEST_LENGTH = 6


def supporting_body(location: str) -> dict:
    """What a resource beside a cluster is created from, in the region of the cluster."""
    return {"location": location, "tags": CREATED_BY}


def namespace_body(location: str) -> dict:
    """The same for a namespace of Azure Relay or Azure Service Bus."""
    return {**supporting_body(location), "sku": {"name": "Standard"}}


def derived_name(text: str, longest: int) -> str:
    """A resource name as C(az k8s-extension) derives it: letters and digits only, cut with a digest where too long.

    :param text: what the name is made of.
    :param longest: how many characters the service takes.
    """
    name = re.sub("[^A-Za-z0-9]", "", text)
    if len(name) <= longest:
        return name
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return name[: longest - _DIGEST_LENGTH] + digest[:_DIGEST_LENGTH]
