# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the attributes of modules."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and report changes without making them.
  diff_mode:
    description: Shows in diff mode what it changes.
  in_process:
    description:
      - Runs in the controller's own process if the connection is local and the task uses neither C(become), C(async)
        nor another Python; otherwise as an ordinary module. Set the variable C(azureml_arc_in_process) to V(false), or
        E(AZUREML_ARC_IN_PROCESS) to V(0), to always run it as an ordinary module, which is the default on macOS.
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details: It changes nothing.
  diff_mode:
    support: N/A
    details: It changes nothing.
  in_process:
    support: full
"""
