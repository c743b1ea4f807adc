# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check found, and how serious it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass

ERROR, WARNING, INFO = "error", "warning", "info"
LEVELS = (ERROR, WARNING, INFO)


@dataclass(frozen=True)
class Finding:
    """What a check found.

    :param level: C(error) stops an install, C(warning) may, C(info) is good to know.
    :param mend: what to do about it.
    """

    check: str
    level: str
    message: str
    mend: str = ""

    @property
    def rank(self) -> int:
        """Its place in a list, errors first."""
        return LEVELS.index(self.level)

    def __str__(self) -> str:
        return f"{self.check}: {self.message}" + (f" {self.mend}" if self.mend else "")
