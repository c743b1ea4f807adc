# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Kubernetes API of a cluster, and the workloads that the AzureML extension brings to it.

The package kmock was tried first. Its emulator serves no pages, selectors, resource versions or authentication, replays
every object to every watch, and answers errors with reasons that are not those of Kubernetes; all that clients depend
on would have had to be overridden.
"""
