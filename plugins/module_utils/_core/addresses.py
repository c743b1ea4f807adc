# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse addresses whose errors must not show a password. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

try:
    from urllib3.util import parse_url
except ImportError:
    parse_url = urlsplit  # the clients report the missing library

PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
PROXY_FORMAT = "must be an address like http://proxy:3128; write # / ? @ in a password as %23 %2F %3F %40"


def parts_of(address: str, error: str) -> SplitResult:
    """Return the parts of an address.

    :raises AzureMLError: with C(error) alone if it has none: the libraries' own errors quote passwords.
    """
    try:
        parse_url(address)  # as clients do, which refuse more than the standard library
        return urlsplit(address)
    except ValueError:
        raise AzureMLError(error) from None


def check_proxies(environ: Mapping[str, str]) -> None:
    """Refuse proxies in the environment that are not addresses.

    :raises AzureMLError: naming the variable.
    """
    for name in PROXY_VARIABLES:
        if environ.get(name):
            parts_of(environ[name], f"{name} {PROXY_FORMAT}")
