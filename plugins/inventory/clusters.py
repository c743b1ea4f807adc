# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: clusters
short_description: Kubernetes clusters of Azure subscriptions as hosts
version_added: 0.1.0
description:
  - Finds the clusters that are connected to Azure Arc and the AKS clusters of one or many subscriptions, and adds a
    host for each, with the variables of role P(azureml.arc.azureml#role).
  - The name of the configuration file ends with C(azureml_clusters.yml) or C(azureml_clusters.yaml).
  - Adds groups by distribution (C(distribution_k3s)), location (C(location_westeurope)), connectivity
    (C(connectivity_connected), C(connectivity_offline)), state of the AzureML extension (C(extension_not_installed),
    C(extension_succeeded), C(extension_failed)) and its version (C(extension_version_1_1_61)), and wave (C(wave_1),
    C(wave_2)), all in lower case. The groups of waves are for C(--limit); playbook C(rollout) does not read them.
  - Variable C(azureml_cluster) describes the cluster - C(id), C(name), C(type), C(resource_group),
    C(subscription_id), C(location), C(tags), C(distribution), C(infrastructure), C(connectivity_status),
    C(last_connectivity_time), C(agent_version), C(power_state), C(kubernetes_version), C(node_count),
    C(provisioning_state), and C(extension) with C(name), C(provisioning_state), C(version), C(release_train),
    C(auto_upgrade_minor_version) and C(settings), or none. C(azureml_wave) is the number of its wave.
  - Reads Azure Resource Graph, which returns only the resources that the identity can read. It usually lags behind by
    minutes, but may list a deleted cluster for a day. An incomplete response is an error.
extends_documentation_fragment:
  - azureml.arc.azure
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
author: azureml.arc contributors (@azureml-arc)
options:
  plugin:
    description: Marks the file as a configuration of this plugin.
    type: str
    required: true
    choices: [azureml.arc.clusters]
  subscription_id:
    description:
      - The subscription to search, if O(subscription_ids) is not set.
      - Can also be set with E(AZURE_SUBSCRIPTION_ID).
    type: str
  subscription_ids:
    description:
      - The subscriptions to search. If neither they nor O(subscription_id) are set, all that the identity can read.
    type: list
    elements: str
    default: []
  cluster_types:
    description: Types of clusters to find.
    type: list
    elements: str
    choices: [connected_cluster, managed_cluster]
    default: [connected_cluster, managed_cluster]
  resource_groups:
    description: Only clusters in these resource groups.
    type: list
    elements: str
    default: []
  locations:
    description: Only clusters in these regions.
    type: list
    elements: str
    default: []
  distributions:
    description: Only clusters of these distributions, as Azure Arc reports them. V(aks) selects all AKS clusters.
    type: list
    elements: str
    default: []
  tags:
    description:
      - Only clusters with all of these tags. A value is text, a list of accepted texts, or null for any.
      - Names and values compare without case.
    type: dict
    default: {}
  plain_host_names:
    description:
      - Use the names of clusters as host names. Two clusters with the same name are an error then.
      - By default, digits derived from the cluster's id are appended, so that names are unique and do not change when
        clusters are added or removed.
    type: bool
    default: false
  wave_tag:
    description:
      - The tag whose value is the number of a cluster's wave.
      - A cluster with another value is put into the last wave of O(wave_percentages), with a warning.
    type: str
    default: azureml-wave
  wave_percentages:
    description:
      - How to divide the clusters without O(wave_tag), as percentages of them in the first wave, in the first two, and
        so on up to 100. The wave of a cluster is derived from its id, and does not change.
    type: list
    elements: float
    default: [1, 25, 100]
"""

EXAMPLES = r"""
# All clusters that the service principal of the environment may read.
# azureml_clusters.yml
plugin: azureml.arc.clusters

---
# The shops in production, in groups by country, with a kubeconfig each, cached for an hour.
# shops.azureml_clusters.yml
plugin: azureml.arc.clusters
subscription_ids:
  - 11111111-2222-3333-4444-555555555555
distributions: [k3s]
tags:
  environment: production
plain_host_names: true
compose:
  azureml_profile: "'inference' if 'gpu' in azureml_cluster.tags else 'training'"
  azureml_kubernetes: dict(kubeconfig='~/.kube/' ~ inventory_hostname)
keyed_groups:
  - key: azureml_cluster.tags.country
    prefix: country
groups:
  small: azureml_cluster.node_count < 3
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_timeout: 3600
cache_connection: ~/.cache/ansible
"""

from dataclasses import fields

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.azureml.arc.plugins.module_utils._azure import client as azure_client
from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster_reference
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource_graph import query
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.options import AZURE
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall, require
from ansible_collections.azureml.arc.plugins.plugin_utils._inventory.hosts import (
    Filters,
    Host,
    Waves,
    cluster_query,
    extension_query,
    hosts,
)

FILE_NAMES = ("azureml_clusters.yml", "azureml_clusters.yaml")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Reads clusters and extensions, or takes them from the cache, and adds hosts."""

    NAME = "azureml.arc.clusters"

    def verify_file(self, path):
        """Return whether a file is a configuration of this plugin, by its name."""
        return super().verify_file(path) and path.endswith(FILE_NAMES)

    def parse(self, inventory, loader, path, cache=True):
        """Add the clusters that a configuration file selects."""
        super().parse(inventory, loader, path)
        unknown = set(self._read_config_data(path)) - set(self.get_options())
        if unknown:
            raise AnsibleParserError(
                f"{path}: unknown option {', '.join(sorted(unknown))}. Run ansible-doc -t inventory {self.NAME} for all"
                " options."
            )
        try:
            waves = Waves(self.get_option("wave_tag"), self.get_option("wave_percentages"))
            waves.check()
            filters = Filters(**{one.name: self.get_option(one.name) for one in fields(Filters)})
            found = self._cached(path, cache, filters)
            if not found["clusters"]:
                self.display.warning(f"{path}: {filters.nothing_found()}")
            plain_names, warn = self.get_option("plain_host_names"), self.display.warning
            for host in hosts(found["clusters"], found["extensions"], waves, plain_names, warn):
                self._add(host)
        except AzureMLError as error:
            raise AnsibleParserError(str(error)) from error

    def _cached(self, path: str, cache: bool, filters: Filters) -> dict:
        """Return the rows from the cache, if it is enabled and has them, or from Azure."""
        if not self.get_option("cache"):
            return self._read(filters)
        key = self.get_cache_key(path)
        if cache and key in self._cache:
            return self._cache[key]
        self._cache[key] = self._read(filters)
        return self._cache[key]

    def _read(self, filters: Filters) -> dict:
        require(azure_client.LIBRARIES)
        call = ModuleCall({name: self._sign_in_option(name) for name in AZURE})
        # Closed at the end, because all workers are forked from this process.
        with call.connections:
            session = azure_client.open_session(call)
            for warning in call.warnings:
                self.display.warning(warning)
            subscriptions = self._subscriptions(session)
            return {
                "clusters": [
                    row
                    for row in query(session, cluster_query(filters), subscriptions, "clusters")
                    if filters.match_tags(row["tags"])
                ],
                "extensions": list(query(session, extension_query(), subscriptions, "AzureML extensions")),
            }

    def _sign_in_option(self, name: str):
        value = self.get_option(name)
        return self.templar.template(value) if isinstance(value, str) else value

    def _subscriptions(self, session) -> list:
        for one in self.get_option("subscription_ids"):
            cluster_reference.check_subscription("subscription_ids", one)
        return self.get_option("subscription_ids") or session.subscriptions

    def _add(self, host: Host) -> None:
        self.inventory.add_host(host.name)
        variables = _never_templated(host.variables)
        for name, value in variables.items():
            self.inventory.set_variable(host.name, name, value)
        for group in host.groups:
            self.inventory.add_child(self.inventory.add_group(self._sanitize_group_name(group)), host.name)
        strict, variables = self.get_option("strict"), {**variables, "inventory_hostname": host.name}
        self._set_composite_vars(self.get_option("compose"), variables, host.name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host.name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host.name, strict=strict)


def _never_templated(value):
    """Return foreign text, for instance of tags, marked so that Ansible does not evaluate it as a template."""
    if isinstance(value, dict):
        return {key: _never_templated(one) for key, one in value.items()}
    # Only if it could be a template: marked text looks strange in the output of ansible-inventory.
    return wrap_var(value) if isinstance(value, str) and "{" in value else value
