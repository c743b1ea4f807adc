# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describe failed requests to the Kubernetes API, with hints."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import RESOURCES, describe

try:
    from urllib3.exceptions import SSLError
except ImportError:
    SSLError = None  # the client reports the missing library

# The verbs of RBAC as errors name them.
DOING = {
    "get": "Reading",
    "list": "Reading",
    "watch": "Watching",
    "create": "Creating",
    "patch": "Changing",
    "delete": "Removing",
}
# A refusal of an admission webhook, and permissions that an account would grant without having them.
# https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
WEBHOOK = re.compile(r'admission webhook "([^"]+)" denied the request')
GRANTED = re.compile(r'RBAC permissions not currently held:\s.*?Resources:\["(\w+)"\].*?Verbs:\["(\w+)"')


@dataclass(frozen=True)
class Request:
    """A request, as errors describe it.

    :param verb: the RBAC verb.
    :param resource: the name of its object in RBAC; by default the plural of the kind.
    """

    host: str
    verb: str
    kind: str
    namespace: str
    name: str = ""
    resource: str = ""

    def __str__(self) -> str:
        return f"{DOING[self.verb]} {describe(self.kind, self.namespace, self.name)}"

    def refused(self, error) -> AzureMLError:
        """Return the error for a response of the API other than the requested one.

        :param error: the C(ApiException) of the client.
        """
        try:
            status = json.loads(error.body or "{}")
        except (ValueError, RecursionError):
            status = {}
        if not isinstance(status, dict):  # of a proxy in between
            status = {}
        message = str(status.get("message") or error.reason)
        return AzureMLError(
            f"{self} at {self.host}: HTTP {error.status}: {message}",
            code=str(status.get("reason") or error.reason),
            correlation_id=(error.headers or {}).get("Audit-Id"),
            status=error.status,
            hint=self._hint(error.status, message),
        )

    def unanswered(self, error: Exception) -> AzureMLError:
        """Return the error if there is no response.

        :param error: the exception of urllib3.
        """
        cause = getattr(error, "reason", None) or error
        if "CERTIFICATE_VERIFY_FAILED" in str(cause) or isinstance(cause, SSLError):
            return AzureMLError(
                f"{self} at {self.host}: its certificate cannot be verified: {first_line(cause)}",
                code="CertificateNotTrusted",
                hint="Set the CA that signed it in ca_cert, or in the kubeconfig.",
            )
        return AzureMLError(
            f"{self}: the Kubernetes API at {self.host} cannot be reached: {first_line(cause)}",
            code="Unreachable",
            hint="Check host, proxy and the network between this machine and the cluster;"
            " with azureml_kubernetes_via: node the node sends the request.",
        )

    def misunderstood(self) -> AzureMLError:
        """Return the error if the response is not from Kubernetes."""
        return AzureMLError(
            f"{self} at {self.host}: the response is not from a Kubernetes API",
            code="InvalidResponse",
            hint="Check host, and check for a proxy or a sign-in page between this machine and the cluster.",
        )

    def _hint(self, status: int, message: str) -> str | None:
        """Return the next step after a refusal of the API, C(None) if its message is enough."""
        webhook = WEBHOOK.search(message)
        if webhook:
            return f"Webhook {webhook[1]} of the cluster refuses this for every account: ask its administrator."
        if status == 401:
            return "The credentials are not valid for this cluster: check kubeconfig, context or api_key."
        if status != 403:
            return None
        granted = GRANTED.search(message)
        plural, verb = granted.groups() if granted else (self.resource or RESOURCES[self.kind].plural, self.verb)
        # A Role is valid in its namespace only.
        role = "Role" if self.namespace and not granted else "ClusterRole"
        hint = f"The account may not {verb} {plural}: give it a {role} with this verb and resource."
        return f"{hint} In Kubernetes, an account can grant only permissions that it has." if granted else hint
