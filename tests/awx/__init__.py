# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator of AWX 24.6: the part of its REST API v2 that creates and launches templates, as strict as AWX.

Its validation, defaults and responses follow the serializers and models of AWX (https://github.com/ansible/awx,
awx/api/serializers.py and awx/main/models).
"""
