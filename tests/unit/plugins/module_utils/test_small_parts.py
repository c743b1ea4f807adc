# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clouds, names, errors, hints, intervals and connection values."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.azureml.arc.plugins.module_utils import _cloud
from ansible_collections.azureml.arc.plugins.module_utils._arm_answer import retry_after
from ansible_collections.azureml.arc.plugins.module_utils._azure_names import derived_name
from ansible_collections.azureml.arc.plugins.module_utils._errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._failures import hint_for
from ansible_collections.azureml.arc.plugins.module_utils._kube_config import connection_values
from ansible_collections.azureml.arc.plugins.module_utils._polling import Deadline, intervals

STACK = {"authentication": {"loginEndpoint": "https://login.local/", "audiences": ["https://rm.local/"]}}


def test_known_cloud_is_not_looked_up():
    cloud = _cloud.resolve("AzureUSGovernment", pytest.fail)
    assert cloud.scope == "https://management.usgovcloudapi.net/.default"


def test_cloud_behind_an_address():
    asked = []
    cloud = _cloud.resolve("https://rm.local/", lambda url: asked.append(url) or STACK)
    assert asked == ["https://rm.local/metadata/endpoints?api-version=2022-09-01"]
    assert (cloud.resource_manager, cloud.authority) == ("https://rm.local", "https://login.local")
    assert cloud.scope == "https://rm.local/.default"


@pytest.mark.parametrize("document", [[], {}, {"authentication": {}}, {"authentication": {"loginEndpoint": 1}}, None])
def test_metadata_that_is_none(document):
    with pytest.raises(AzureMLError, match="cloud_environment: .* did not answer with the metadata of a cloud"):
        _cloud.from_metadata("https://rm.local", document)


@pytest.mark.parametrize("name", ["http://rm.local", "AzureMoon", ""])
def test_unknown_cloud(name):
    with pytest.raises(AzureMLError, match="cloud_environment must be one of"):
        _cloud.resolve(name, pytest.fail)


def test_derived_names():
    assert derived_name("shop-1-sub-rg-relay", 50) == "shop1subrgrelay"
    long = "a-cluster-11111111-2222-3333-4444-555555555555-a-resource-group-relay"
    # The digits are the first six that md5sum prints for the whole text.
    assert derived_name(long, 50) == "acluster11111111222233334444555555555555ares" + "e62e8c"
    assert len(derived_name("x" * 80, 63)) == 63


def test_error_text():
    error = AzureMLError("It failed", code="Conflict", correlation_id="c-1", hint="Wait.", rows=[1])
    assert str(error) == "It failed (code Conflict, correlation id c-1). Wait."
    assert error.as_result()["rows"] == [1]
    assert error.as_result()["error"]["code"] == "Conflict"
    assert str(AzureMLError("Is it so?")) == "Is it so?"


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("failed pre-install: pod healthcheck failed]", "arcml-healthcheck"),
        ("Error: timed out waiting for the condition", "pod_readiness"),
        ("invalid ownership metadata ... jobs.batch.volcano.sh", "install_volcano: false"),
        ("Unable to get the status from the local CRD", "Arc agents"),
    ],
)
def test_hints(message, hint):
    assert hint in hint_for(message)


def test_no_hint_for_the_unknown():
    assert hint_for("something else") is None
    assert hint_for(None) is None


def test_intervals_grow_to_a_limit_with_jitter():
    found = list(itertools.islice(intervals(), 20))
    assert 0.8 <= found[0] <= 1.2
    assert 24 <= found[-1] <= 36
    assert len(set(found)) == 20


def test_deadline():
    now, slept = [0.0], []
    deadline = Deadline(10, clock=lambda: now[0], sleep=slept.append)
    now[0] = 8.0
    deadline.sleep(5)
    assert slept == [2.0]
    now[0] = 11.0
    assert (deadline.remaining, deadline.passed) == (0.0, True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), (None, None), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)],
)
def test_retry_after(value, seconds):
    assert retry_after({"Retry-After": value}) == seconds


def test_connection_options_win_over_the_environment():
    environ = {"K8S_AUTH_HOST": "https://env", "K8S_AUTH_VERIFY_SSL": "no", "K8S_AUTH_API_KEY": "key"}
    assert connection_values({"host": "https://option", "context": ""}, environ) == {
        "host": "https://option",
        "api_key": "key",
        "validate_certs": False,
    }
    assert connection_values({"validate_certs": True}, environ)["validate_certs"] is True
