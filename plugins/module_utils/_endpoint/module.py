# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check that an inference endpoint is served as configured."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, Intervals, Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._core.values import require_positive
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.addresses import SERVICE, Router, router_of
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.connection import probe
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.in_cluster import why_no_answer
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.verdict import (
    PROTOCOLS,
    Expected,
    ProbeResult,
    outcome_of,
    problems,
    served,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension import tls
from ansible_collections.azureml.arc.plugins.module_utils._extension.tls_secret import CERTIFICATE_KEY, certificates_in
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import describe

PARALLEL_PROBES = 8
# How long to retry while no address can be reached: a new load balancer takes some seconds to forward connections.
UNREACHABLE_PATIENCE = 15  # seconds


def run(call: ModuleCall) -> Waiting[dict]:
    """M(azureml.arc.endpoint_check)."""
    params = call.params
    require_positive("timeout", params["timeout"])
    if params["cname"]:
        tls.check_cname("cname", params["cname"])
    waits = params["wait"] and not call.check_mode
    with open_session(call) as session:
        expected = Expected(params["scheme"], params["cname"] or "", _expected_chain(call, session))
        deadline = call.deadline(params["wait_timeout"] if waits else 0)
        router, result = yield from _wait(session, params, expected, deadline)
        if result["outcome"] == "unreachable":
            result |= _inside_the_cluster(call, session, router.port, expected.scheme)
    if waits and result["outcome"] == "wrong":
        raise AzureMLError(
            f"{_endpoint(params)} is not served as configured (waited at most {params['wait_timeout']} seconds):"
            f" {'; '.join(result['problems'])}",
            code="EndpointWrong",
            hint="Read the logs of the router: kubectl logs -n azureml -l azuremlappname=azureml-fe --all-containers.",
            **{key: value for key, value in result.items() if key != "changed"},
        )
    if params["wait"] and result["outcome"] == "wrong":
        call.warn(f"{_endpoint(params)} is not served as configured yet: {result['summary']}")
    _warn(call, result)
    return result


def _endpoint(params: Mapping) -> str:
    return f"inference endpoint {params['cname']}" if params["cname"] else "the inference endpoint"


def _expected_chain(call: ModuleCall, session: KubeSession) -> tuple[str, ...] | None:
    """Return the chain that must be served, C(None) if it is not known."""
    params = call.params
    if params["chain"] is not None:
        return tuple(one.replace(":", "").lower() for one in params["chain"])
    if not params["secret_name"]:
        return None
    try:
        secret = session.get("Secret", params["secret_name"], params["namespace"])
    except AzureMLError as error:
        if error.status != 403:
            raise
        call.warn(f"The served certificate was not compared with the Secret: {error}")
        return None
    where = describe("Secret", params["namespace"], params["secret_name"])
    return tls.served_chain(certificates_in(secret, where, (CERTIFICATE_KEY,)))


def _wait(
    session: KubeSession, params: Mapping, expected: Expected, deadline: Deadline
) -> Waiting[tuple[Router, dict]]:
    """Probe until there is no problem left or the time is up; return the router and the result of the last probe."""
    pause, patience = Intervals(first=0.5, longest=10), deadline.within(UNREACHABLE_PATIENCE)
    while True:
        router, result = _probe(session, params, expected)
        until = deadline if result["outcome"] == "wrong" else patience
        if result["outcome"] == "ok" or not (result["addresses"] or result["problems"]) or until.passed:
            return router, result
        deadline.report(result["summary"])
        yield from until.pause(pause.next())


def _probe(session: KubeSession, params: Mapping, expected: Expected) -> tuple[Router, dict]:
    """Find the router and probe each of its addresses once; return the router and the result of the module."""
    service = session.get("Service", SERVICE, params["namespace"])
    is_node_port = service is not None and service["spec"].get("type") == "NodePort"
    nodes = session.list("Node")[0] if is_node_port else ()
    router = router_of(service, nodes, expected.scheme, params["on_node"])

    def probe_one(address) -> ProbeResult:
        return probe(address, expected.scheme, expected.cname, params["timeout"])

    with ThreadPoolExecutor(PARALLEL_PROBES) as pool:
        results = dict(zip(map(str, router.addresses), pool.map(probe_one, router.addresses)))
    return router, _result(router, results, expected)


def _result(router: Router, results: Mapping[str, ProbeResult], expected: Expected) -> dict:
    now = datetime.now(timezone.utc)
    rows = [
        {
            "address": address,
            "reachable": not one.unreachable,
            "reason": one.unreachable,
            "problems": problems(one, expected, now),
        }
        for address, one in results.items()
    ]
    wrong = [router.missing] if router.missing else []
    wrong += [f"{row['address']}: {problem}" for row in rows for problem in row["problems"]]
    found = next(filter(None, map(served, results.values())), None)
    outcome = outcome_of(results, wrong)
    certificate = found.view(now) if found else None
    return {
        "changed": False,
        "outcome": outcome,
        "summary": _summary(outcome, wrong, expected, certificate),
        "problems": wrong,
        "checked_from": socket.gethostname(),
        "service_type": router.service_type,
        "addresses": rows,
        "certificate": certificate,
        "answers_in_cluster": None,
    }


def _summary(outcome: str, wrong: list[str], expected: Expected, certificate: Mapping | None) -> str:
    if outcome == "wrong":
        return "; ".join(wrong)
    if outcome == "unreachable":
        return f"not reachable from {socket.gethostname()}"
    if certificate is None:
        return f"serves {PROTOCOLS[expected.scheme]}"
    compared = "" if expected.chain is not None else ", not compared"
    return f"serves the certificate{compared}, {certificate['days_left']:.0f} days left"


def _inside_the_cluster(call: ModuleCall, session: KubeSession, port: int, scheme: str) -> dict:
    """Check inside the cluster a router that this machine cannot reach; return the changes to the result."""
    try:
        reason = why_no_answer(session, call.params["namespace"], scheme, port)
    except AzureMLError as error:
        call.warn(f"The router was not checked inside the cluster: {error}")
        return {}
    if reason:
        wrong = [f"the router does not answer inside the cluster either: {reason}"]
        return {"outcome": "wrong", "problems": wrong, "summary": wrong[0], "answers_in_cluster": False}
    summary = f"not reachable from {socket.gethostname()}, answers inside the cluster"
    return {"answers_in_cluster": True, "summary": summary}


def _warn(call: ModuleCall, result: Mapping) -> None:
    if result["outcome"] == "unreachable":
        reasons = "; ".join(f"{row['address']}: {row['reason']}" for row in result["addresses"])
        reasons = reasons or "only nodes can reach its cluster IP"
        call.warn(f"{_endpoint(call.params)} was not checked, {result['summary']}: {reasons}")
    certificate = result["certificate"]
    if certificate and 0 <= certificate["days_left"] < tls.WARN_BEFORE.days:
        call.warn(
            f"the certificate that {_endpoint(call.params)} serves expires on {certificate['not_after'][:10]},"
            f" in less than {tls.WARN_BEFORE.days} days"
        )
