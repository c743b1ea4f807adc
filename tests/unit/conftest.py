# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Set the import path for C(ansible-test units), which does not read pyproject.toml, and keep files below build/."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis.configuration import set_hypothesis_home_dir

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
# By default, hypothesis writes its examples to the root of the collection, and so into the tarball.
set_hypothesis_home_dir(HERE.parents[1] / "build" / "hypothesis")
