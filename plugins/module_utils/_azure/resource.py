# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One ARM resource with a provisioning state: read, submit, wait, remove."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ansible_collections.azureml.arc.plugins.module_utils._azure.answer import operation_error
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import has_failed, is_moving, state_of
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, intervals, timeout_error

T = TypeVar("T")
# How often to look and decide anew where somebody else was faster.
CONFLICTS = 5
# What is a conflict by its status, but none with others.
NO_CONFLICT_CODES = frozenset({"MissingSubscriptionRegistration"})


def iterate(
    session: AzureSession, address: str, api_version: str, what: str, params: Mapping | None = None
) -> Iterator[dict]:
    """The resources of a list, page by page as they are needed. For the parameters see C(AzureSession.send)."""
    while address:
        page = session.send("GET", address, api_version, what, params=params).body
        yield from page.get("value") or ()
        address, api_version, params = page.get("nextLink"), "", None  # a next link is complete


def list_all(session: AzureSession, address: str, api_version: str, what: str) -> list[dict]:
    """All resources of a list. For the parameters see C(AzureSession.send)."""
    return list(iterate(session, address, api_version, what))


class ArmResource:
    """One resource through one session, with one deadline.

    :param what: the resource in a person's words, for errors.
    :param error_of: takes the body of a resource that failed, returns its error with C(code) and C(message).
    """

    def __init__(
        self,
        session: AzureSession,
        resource_id: str,
        api_version: str,
        what: str,
        deadline: Deadline,
        error_of: Callable[[Mapping], Mapping] = lambda body: {},
    ) -> None:
        self.id = resource_id
        self._session = session
        self._api_version = api_version
        self._what = what
        self.deadline = deadline
        self._error_of = error_of
        self._conflict: AzureMLError | None = None  # what came of a change where somebody else was faster

    def __str__(self) -> str:
        return self._what

    def read(self) -> dict | None:
        """The resource, C(None) where it does not exist."""
        return self._session.get(self.id, self._api_version, self._what)

    def submit(
        self, method: str, wait: bool, present: dict | None, body: dict | None = None, params: dict | None = None
    ) -> dict | None:
        """Send a change, once: it is sent again only where it has not been made.

        :param wait: whether to wait until it has come to its end.
        :param present: the resource as it was read before, C(None) where it did not exist.
        :returns: the resource as it is then (C(None) where it is gone), without C(wait) the body of the answer.
        :raises AzureMLError: where the service refuses the change, or it ends badly.
        """

        def was_made() -> bool:
            return _mark(self.read()) != _mark(present)

        try:
            response = self._session.send(
                method, self.id, self._api_version, self._what, body=body, params=params, was_made=was_made
            )
        except AzureMLError as error:
            self._conflict = error if _is_conflict(error) else None
            raise
        if not wait:
            return (response.body if response else self.read()) or None
        operation = response and response.headers.get("Azure-AsyncOperation")
        if operation:
            self._session.wait_for_operation(operation, self.deadline, self._what)
        found = self.settle()
        if found is None and method != "DELETE":
            raise AzureMLError(
                f"{self._what} is gone: it was removed while this task waited for it",
                code="RemovedMeanwhile",
                correlation_id=self._session.correlation_id,
                hint="Find out who removes it, then run again.",
            )
        return found

    def require_unchanged(self, present: dict | None) -> None:
        """Check that what a decision was made on still holds, where time has passed since.

        :param present: the resource as it was read then.
        :raises AzureMLError: where it does not; C(decide) decides anew.
        """
        if _mark(self.read()) != _mark(present):
            self._conflict = AzureMLError(f"{self._what} was changed by somebody else", code="Conflict", status=409)
            raise self._conflict

    def decide(self, attempt: Callable[[], T]) -> T:
        """Read, decide and change; all of it again where somebody else changed the resource in between.

        :param attempt: does it, by what it reads then.
        :returns: what C(attempt) returns.
        :raises AzureMLError: what C(attempt) raises, a conflict only when it does not end.
        """
        pauses = intervals()
        for _attempt in range(CONFLICTS):
            try:
                return attempt()
            except AzureMLError as error:
                if error is not self._conflict or self.deadline.passed:
                    raise
                self.deadline.report(f"{self._what}: somebody else changes it: {error.code}")
            self.deadline.sleep(next(pauses))
        return attempt()

    def settle(self) -> dict | None:
        """Wait for whatever operation is under way; its failure is an error.

        :returns: the resource, C(None) where it is gone.
        """
        pause = intervals()
        while True:
            body = self.read()
            if body is None:
                return None
            if not is_moving(body):
                self.raise_where_failed(body)
                return body
            if self.deadline.passed:
                raise timeout_error(self._what, self.deadline, f"it is in state {state_of(body)}")
            self.deadline.report(f"{self._what}: {state_of(body)}")
            self.deadline.sleep(next(pause))

    def raise_where_failed(self, body: Mapping) -> None:
        """Turn a resource that ended as Failed or Canceled into an error."""
        state = state_of(body)
        if has_failed(state):
            raise operation_error(self._what, state, self._error_of(body), self._session.correlation_id)


def _mark(body: Mapping | None) -> tuple | None:
    """What a change of a resource changes in any case: its state, or what ARM notes of who changed it last, and when.

    Source: C(systemData) in the common types of ARM's specifications.
    """
    return None if body is None else (state_of(body), body.get("systemData"))


def _is_conflict(error: AzureMLError) -> bool:
    return error.status in (409, 412) and error.code not in NO_CONFLICT_CODES


def find_or_create(resource: ArmResource, body: dict, wait: bool = True) -> tuple[dict, bool]:
    """Read a resource, or create it.

    :param body: what to create it from; an existing resource is left as it is.
    :param wait: whether to wait until it is provisioned.
    :returns: the resource, and whether it was created.
    """

    def attempt() -> tuple[dict, bool]:
        found = resource.read()
        if found is None:
            return resource.submit("PUT", wait, present=None, body=body), True
        return (resource.settle() if wait and is_moving(found) else found), False

    return resource.decide(attempt)


@dataclass(frozen=True)
class Provisioned:
    """A resource beside the cluster that the extension needs, found or created.

    :param secret: what the extension signs in to it with.
    :param created: ARM ids of what had to be created for it.
    :param settings: plain settings that could be learned from it only.
    """

    secret: str
    created: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


def find_or_create_all(
    session: AzureSession, parts: Sequence[tuple[str, dict]], api_version: str, kind: str, deadline: Deadline
) -> list[str]:
    """Find resources one after the other, or create what is missing.

    :param parts: ARM id and body of each, parents first.
    :param kind: what they are in a person's words, for errors.
    :returns: the ARM ids of what was created.
    """
    created = []
    for resource_id, body in parts:
        resource = ArmResource(session, resource_id, api_version, f"{kind} {resource_id}", deadline)
        if find_or_create(resource, body)[1]:
            created.append(resource_id)
    return created
