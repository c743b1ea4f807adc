# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Print the folder with the programs of a control plane, nothing where there is none."""

from __future__ import annotations

from control_plane.programs import assets

if __name__ == "__main__":
    print(assets() or "")
