# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Kubernetes control plane on loopback: etcd, API server, controllers, scheduler, and simulated nodes.

The programs are in the folder C(KUBEBUILDER_ASSETS), as with envtest (https://book.kubebuilder.io/reference/envtest),
or in the folder of C(make control-plane).
"""
