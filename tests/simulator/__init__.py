# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator of Azure and of Kubernetes clusters on loopback, for tests of clients.

It follows the specifications that Microsoft and Kubernetes publish, and does not depend on the collection. It is
strict, and rejects every request that Azure Resource Manager rejects.
"""
