# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert rows of Azure Resource Graph to hosts of an inventory. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster import node_count
from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import TYPES
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource_graph import any_of, quoted
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._extension.plan import EXTENSION_TYPE

CLUSTER_COLUMNS = """\
id, name, type, location, resourceGroup, subscriptionId, tags,
  provisioningState = properties.provisioningState, distribution = properties.distribution,
  infrastructure = properties.infrastructure, connectivityStatus = properties.connectivityStatus,
  lastConnectivityTime = properties.lastConnectivityTime, agentVersion = properties.agentVersion,
  kubernetesVersion = properties.kubernetesVersion, totalNodeCount = properties.totalNodeCount,
  agentPoolProfiles = properties.agentPoolProfiles, powerState = properties.powerState.code"""
# Arc reports the distribution of a cluster; AKS clusters always have this one.
AKS = "aks"
NAME_HASH_LENGTH = 8  # hexadecimal digits: with 10,000 clusters of one name, the probability of a collision is 1 in 86
ALL_CLUSTERS = 100.0  # percent


@dataclass(frozen=True)
class Filters:
    """The clusters to find; an empty field does not filter. Names and values compare without case.

    :param tags: by name: the value or values that count, C(None) for any.
    """

    cluster_types: Collection[str] = tuple(TYPES)
    resource_groups: Collection[str] = ()
    locations: Collection[str] = ()
    distributions: Collection[str] = ()
    tags: Mapping[str, str | Sequence[str] | None] = field(default_factory=dict)

    def match_tags(self, tags: Mapping[str, str] | None) -> bool:
        """Return whether a cluster has the tags to find."""
        present = {name.lower(): value.lower() for name, value in (tags or {}).items()}
        return all(
            name.lower() in present and (value is None or present[name.lower()] in _lower(value))
            for name, value in self.tags.items()
        )

    def nothing_found(self) -> str:
        """Return the warning that no cluster was found, with the filters that are set."""
        default = Filters()
        given = {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if list(getattr(self, one.name)) != list(getattr(default, one.name))
        }
        filters = ", ".join(f"{name} {json.dumps(value, default=str)}" for name, value in given.items())
        matches = f"no cluster matches {filters}; check these filters," if filters else "no cluster was found; check"
        return f"{matches} the subscription and the permissions of the identity"


def _lower(value: str | Sequence[str]) -> list[str]:
    values = [value] if isinstance(value, (str, int, float)) else value
    return [str(one).lower() for one in values]


def cluster_query(filters: Filters) -> str:
    """Return the query for clusters.

    The query language compares names of tags with case. With O(tags), the query returns too many clusters, which
    C(Filters.match_tags) filters.
    """
    kinds = {name: TYPES[name].resource_type.lower() for name in filters.cluster_types}
    conditions = [f"type in~ {any_of(list(kinds.values()))}"]
    if filters.resource_groups:
        conditions.append(f"resourceGroup in~ {any_of(filters.resource_groups)}")
    if filters.locations:
        conditions.append(f"location in~ {any_of(filters.locations)}")
    if filters.distributions:
        condition = f"tostring(properties.distribution) in~ {any_of(filters.distributions)}"
        if AKS in {one.lower() for one in filters.distributions}:
            condition += f" or type =~ {quoted(TYPES['managed_cluster'].resource_type)}"
        conditions.append(condition)
    conditions += [f"tostring(tags) contains {quoted(name)}" for name in filters.tags if _is_plain(name)]
    return _query("resources", conditions, CLUSTER_COLUMNS)


def extension_query() -> str:
    """Return the query for AzureML extensions, which Resource Graph can join with clusters only in some clouds."""
    conditions = [
        "type =~ 'microsoft.kubernetesconfiguration/extensions'",
        f"tostring(properties.ExtensionType) =~ {quoted(EXTENSION_TYPE)}",
    ]
    return _query("kubernetesconfigurationresources", conditions, "id, name, properties")


def _query(table: str, conditions: Iterable[str], columns: str) -> str:
    filters = "".join(f"| where {condition}\n" for condition in conditions)
    return f"{table}\n{filters}| project {columns}\n| order by id asc"


def _is_plain(name: str) -> bool:
    """Return whether JSON contains a name without escapes."""
    return json.dumps(name) == f'"{name}"'


@dataclass(frozen=True)
class Waves:
    """The division of a fleet for a rollout.

    :param tag: the tag whose value is the number of a cluster's wave.
    :param percentages: of the clusters without that tag: how many percent are in a wave or one before it, up to 100.
    """

    tag: str
    percentages: Sequence[float]

    def check(self) -> None:
        """Raise C(AzureMLError) if the percentages do not increase up to 100."""
        growing = all(before < after for before, after in zip((0.0, *self.percentages), self.percentages))
        if not self.percentages or not growing or self.percentages[-1] != ALL_CLUSTERS:
            raise AzureMLError(f"wave_percentages must be increasing numbers up to 100, not {list(self.percentages)}")

    def of(self, cluster_id: str, tags: Mapping[str, str]) -> int:
        """Return the number of a cluster's wave, from 1 on, which does not depend on other clusters.

        :raises AzureMLError: if the tag is not a number.
        """
        tagged = next((value for name, value in tags.items() if name.lower() == self.tag.lower()), None)
        if tagged is not None:
            if not tagged.isdecimal() or int(tagged) < 1:
                raise AzureMLError(
                    f"tag {self.tag} of {cluster_id} must be the number of a wave, 1 or more, not '{tagged}'"
                )
            return int(tagged)
        share = int(_digest(cluster_id)[:12], 16) / 16**12 * 100
        return next(number for number, upto in enumerate(self.percentages, 1) if share < upto)

    @property
    def last(self) -> int:
        """The number of the last wave of clusters without that tag."""
        return len(self.percentages)


@dataclass(frozen=True)
class Host:
    """A host of the inventory."""

    name: str
    variables: Mapping
    groups: Sequence[str]


def hosts(
    clusters: Iterable[Mapping],
    extensions: Iterable[Mapping],
    waves: Waves,
    plain_names: bool,
    warn: Callable[[str], None],
) -> Iterator[Host]:
    """Yield a host for each cluster, with the variables of the role and the groups it belongs to.

    :param clusters: rows of C(cluster_query).
    :param extensions: rows of C(extension_query); those of other clusters are ignored.
    :param plain_names: whether a host has the name of its cluster, without the digits that make it unique.
    :param warn: takes the warning about a tag that is not the number of a wave. An error would let anyone who can edit
        the tags of one cluster stop the automation of all others.
    :raises AzureMLError: if two clusters would share a name.
    """
    by_cluster = {_cluster_of(row["id"]): _extension(row) for row in extensions}
    seen: dict[str, str] = {}
    for row in clusters:
        cluster = _cluster(row)
        cluster["extension"] = by_cluster.get(cluster["id"].lower())
        name = cluster["name"] if plain_names else f"{cluster['name']}_{_digest(cluster['id'])[:NAME_HASH_LENGTH]}"
        if name in seen:
            raise AzureMLError(
                f"two clusters would have the host name '{name}': {seen[name]} and {cluster['id']}",
                hint="Set plain_host_names to false, or filter one of them out." if plain_names else None,
            )
        seen[name] = cluster["id"]
        try:
            wave = waves.of(cluster["id"], cluster["tags"])
        except AzureMLError as error:
            wave = waves.last
            warn(f"{error} The cluster is put into the last wave, {wave}.")
        yield Host(name, _variables(cluster, wave), _groups(cluster, wave))


def _digest(cluster_id: str) -> str:
    return hashlib.sha256(cluster_id.lower().encode()).hexdigest()


def _cluster_of(extension_id: str) -> str:
    return extension_id.lower().rpartition("/providers/microsoft.kubernetesconfiguration/")[0]


def _cluster(row: Mapping) -> dict:
    kind = next(name for name, one in TYPES.items() if one.resource_type.lower() == row["type"].lower())
    return {
        "id": row["id"],
        "name": row["name"],
        "type": kind,
        "resource_group": row["resourceGroup"],
        "subscription_id": row["subscriptionId"],
        "location": row["location"],
        "tags": dict(row["tags"] or {}),
        "provisioning_state": row["provisioningState"],
        "distribution": AKS if kind == "managed_cluster" else row["distribution"] or "unknown",
        "infrastructure": row["infrastructure"],
        "connectivity_status": row["connectivityStatus"],
        "last_connectivity_time": row["lastConnectivityTime"],
        "agent_version": row["agentVersion"],
        "power_state": row["powerState"],
        "kubernetes_version": row["kubernetesVersion"],
        "node_count": node_count(kind, row),
    }


def _extension(row: Mapping) -> dict:
    # Not all property names of this table are documented; those that are begin with a capital.
    properties = {name.lower(): value for name, value in row["properties"].items()}
    return {
        "name": row["name"],
        "provisioning_state": properties.get("provisioningstate") or "Unknown",
        "version": properties.get("currentversion") or properties.get("installedversion") or properties.get("version"),
        "release_train": properties.get("releasetrain"),
        "auto_upgrade_minor_version": properties.get("autoupgrademinorversion"),
        "settings": properties.get("configurationsettings") or {},
    }


def _variables(cluster: Mapping, wave: int) -> dict:
    variables = {
        "azureml_cluster": dict(cluster),
        "azureml_cluster_name": cluster["name"],
        "azureml_cluster_type": cluster["type"],
        "azureml_resource_group": cluster["resource_group"],
        "azureml_subscription_id": cluster["subscription_id"],
        "azureml_wave": wave,
    }
    if cluster["extension"]:
        variables["azureml_extension_name"] = cluster["extension"]["name"]
    return variables


def _groups(cluster: Mapping, wave: int) -> list[str]:
    extension = cluster["extension"]
    groups = [
        f"distribution_{cluster['distribution']}",
        f"location_{cluster['location']}",
        f"connectivity_{_connectivity(cluster)}",
        f"wave_{wave}",
        f"extension_{extension['provisioning_state'] if extension else 'not_installed'}",
    ]
    if extension and extension["version"]:
        groups.append(f"extension_version_{extension['version']}")
    return [group.lower() for group in groups]


def _connectivity(cluster: Mapping) -> str:
    """Return whether changes reach the cluster, as Arc's connectivity status; for AKS, whether it runs."""
    if cluster["type"] == "managed_cluster":
        return "connected" if cluster["power_state"] == "Running" else "offline"
    return cluster["connectivity_status"] or "unknown"
