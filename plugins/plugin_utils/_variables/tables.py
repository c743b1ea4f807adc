# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of role azureml that are options of modules. Pure."""

from __future__ import annotations

# The variables of options. Options whose variables are not set are omitted.
CLUSTER = {
    "subscription_id": "azureml_subscription_id",
    "resource_group": "azureml_resource_group",
    "cluster_name": "azureml_cluster_name",
    "cluster_type": "azureml_cluster_type",
}
INSTALL = {
    "install_nvidia_device_plugin": "azureml_install_nvidia_device_plugin",
    "install_prometheus_operator": "azureml_install_prometheus_operator",
    "install_volcano": "azureml_install_volcano",
    "install_dcgm_exporter": "azureml_install_dcgm_exporter",
}
PREFLIGHT = {
    "workload_profile": "azureml_profile",
    "settings_generation": "azureml_settings_generation",
    "inference_service": "azureml_inference_service",
    "inference_router_ha": "azureml_inference_router_ha",
    "node_selector": "azureml_node_selector",
    "log_analytics": "azureml_log_analytics",
    "install_components": "azureml_install_components",
    "minimum_agent_version": "azureml_minimum_agent_version",
    "fail_on": "azureml_fail_on",
}
EXTENSION = {
    "name": "azureml_extension_name",
    "workload_profile": "azureml_profile",
    "settings_generation": "azureml_settings_generation",
    "inference_service": "azureml_inference_service",
    "tls": "azureml_tls",
    "allow_insecure_connections": "azureml_allow_insecure_connections",
    "inference_router_ha": "azureml_inference_router_ha",
    "node_selector": "azureml_node_selector",
    "log_analytics": "azureml_log_analytics",
    "openshift": "azureml_openshift",
    "in_cluster_tls": "azureml_in_cluster_tls",
    "release_train": "azureml_release_train",
    "version": "azureml_version",
    "auto_upgrade_minor_version": "azureml_auto_upgrade_minor_version",
    "settings": "azureml_settings",
    "protected_settings": "azureml_protected_settings",
    "update_protected": "azureml_update_protected",
    "allow_disruption": "azureml_allow_disruption",
    "force_replace": "azureml_force_replace",
}
READINESS = {
    "workload_profile": "azureml_profile",
    "settings_generation": "azureml_settings_generation",
    "cluster_type": "azureml_cluster_type",
    "components": "azureml_components",
}
NODE = {"allow_disruption": "azureml_allow_disruption"}
NODE_PREFLIGHT = {
    "workload_profile": "azureml_profile",
    "cluster_type": "azureml_cluster_type",
    "datasets": "azureml_datasets",
    "gpu": "azureml_gpu",
    "disk_paths": "azureml_machine_disk_paths",
    "minimum_free_disk": "azureml_minimum_free_disk",
    "region": "azureml_region",
    "workspace_id": "azureml_workspace_id",
    "container_registry": "azureml_container_registry",
    "storage_account": "azureml_storage_account",
    "outbound_addresses": "azureml_outbound_addresses",
    "fail_on": "azureml_fail_on",
}
OPENSHIFT_SCC = {"settings_generation": "azureml_settings_generation"}
# An attachment has the options of the module itself; these are added.
COMPUTE = {
    "purge_instance_types": "azureml_purge_instance_types",
    "force_reattach": "azureml_force_reattach",
    "allow_disruption": "azureml_allow_disruption",
    "workspace": "azureml_workspace",
}
