#!/usr/bin/env bash
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Deploys a connected cluster with az and kubectl. The argument is its name. Existing resources are left unchanged.
set -euo pipefail
name=$1
group=/subscriptions/$SUBSCRIPTION/resourceGroups/rg-edge
cluster=$group/providers/Microsoft.Kubernetes/connectedClusters/$name
extension=$cluster/providers/Microsoft.KubernetesConfiguration/extensions/azureml
workspace=/subscriptions/$SUBSCRIPTION/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ws
compute=$workspace/computes/$name
relay=$group/providers/Microsoft.Relay/namespaces/${name//-/}relay
connection=$relay/hybridConnections/$name
rule=$connection/authorizationRules/azureml_rw

call() { # method, id, api version, body, query
  az rest --only-show-errors --method "$1" --url "$2?api-version=$3" ${4:+--body "$4"} ${5:+--query "$5" --output tsv}
}
state() { # id, api version
  call get "$1" "$2" "" properties.provisioningState 2> /dev/null || echo Missing
}
settle() { # id, api version
  until [ "$(state "$1" "$2")" = Succeeded ]; do sleep 1; done
}

if [ "$(state "$extension" 2025-03-01)" != Succeeded ]; then
  call put "$relay" 2021-11-01 '{"location": "westeurope", "sku": {"name": "Standard"}}' > /dev/null
  settle "$relay" 2021-11-01
  call put "$connection" 2021-11-01 '{"properties": {"requiresClientAuthorization": true}}' > /dev/null
  call put "$rule" 2021-11-01 '{"properties": {"rights": ["Manage", "Send", "Listen"]}}' > /dev/null
  key=$(call post "$rule/listKeys" 2021-11-01 "" primaryConnectionString)
  call put "$extension" 2025-03-01 "$(cat << BODY
{"identity": {"type": "SystemAssigned"}, "properties": {"extensionType": "Microsoft.AzureML.Kubernetes",
 "autoUpgradeMinorVersion": true, "releaseTrain": "stable", "scope": {"cluster": {"releaseNamespace": "azureml"}},
 "configurationSettings": {"enableTraining": "True", "enableInference": "False", "clusterId": "$cluster",
  "cluster_name": "$cluster", "cluster_name_friendly": "$name", "location": "westeurope",
  "jobSchedulerLocation": "westeurope", "domain": "westeurope.cloudapp.azure.com", "relayserver.enabled": "true",
  "nginxIngress.enabled": "false", "relayserver.hybridConnectionName": "$name",
  "relayserver.hybridConnectionResourceID": "$connection"},
 "configurationProtectedSettings": {"relayserver.relayConnectionString": "$key",
  "relayServerConnectionString": "$key"}}}
BODY
)" > /dev/null
  settle "$extension" 2025-03-01
fi
kubectl --kubeconfig "$KUBECONFIGS/$name" wait --for=condition=Ready pods --all -n azureml --timeout=600s > /dev/null
if [ "$(state "$compute" 2024-04-01)" != Succeeded ]; then
  call put "$compute" 2024-04-01 "{\"location\": \"northeurope\", \"identity\": {\"type\": \"SystemAssigned\"},
 \"properties\": {\"computeType\": \"Kubernetes\", \"resourceId\": \"$cluster\",
 \"properties\": {\"namespace\": \"default\"}}}" > /dev/null
  settle "$compute" 2024-04-01
fi
