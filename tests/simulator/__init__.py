# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure, and the Kubernetes clusters behind it, on loopback: a program to test clients against.

It speaks to the facts that Microsoft and Kubernetes publish, knows nothing of the collection, and is strict: what Azure
Resource Manager rejects, it rejects.
"""
