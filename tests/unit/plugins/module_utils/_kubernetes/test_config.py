# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the connection to a cluster comes from."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.config import connection_values


def test_connection_options_win_over_the_environment():
    environ = {"K8S_AUTH_HOST": "https://env", "K8S_AUTH_VERIFY_SSL": "no", "K8S_AUTH_API_KEY": "key"}
    assert connection_values({"host": "https://option", "context": ""}, environ) == {
        "host": "https://option",
        "api_key": "key",
        "validate_certs": False,
    }
    assert connection_values({"validate_certs": True}, environ)["validate_certs"] is True
