# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that can be set with environment variables. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def values(variables: Mapping[str, tuple[str, ...]], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the options that the environment sets.

    :param variables: the variables of each option; the first one that is set counts.
    :param environ: the environment; an empty variable counts as not set.
    """
    found = {option: next(filter(None, map(environ.get, names)), None) for option, names in variables.items()}
    return {option: value for option, value in found.items() if value is not None}
