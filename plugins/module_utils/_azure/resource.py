# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One ARM resource with a provisioning state: read, change, wait, replace, delete."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.consistency import VISIBLE_WITHIN
from ansible_collections.azureml.arc.plugins.module_utils._azure.response import (
    Response,
    TransientError,
    operation_error,
    retry_after,
)
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import has_failed, is_moving, state_of
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import (
    USUAL_INTERVAL,
    Deadline,
    Intervals,
    Waiting,
    timeout_error,
    waiting,
)

T = TypeVar("T")
CONFLICTS = 5  # how often to read and decide again after a change of another client
# Codes with the status of a conflict that do not mean a conflict with another change.
NO_CONFLICT_CODES = frozenset({"MissingSubscriptionRegistration"})
# A create without a response may have been accepted: how often to check for the resource before it is sent again.
# These statuses reject a request with certainty.
READS_FOR_LOST_CREATE = 3
REJECTED = frozenset({429, 503})
FRESH_FOR = 5.0  # seconds for which a resource, once read, counts as unchanged before a change


def iterate(
    session: AzureSession, address: str, api_version: str, what: str, params: Mapping | None = None
) -> Iterator[dict]:
    """Yield the resources of a list, page by page as they are needed. For the parameters see C(AzureSession.send)."""
    while address:
        page = session.send("GET", address, api_version, what, params=params).body
        yield from page.get("value") or ()
        address, api_version, params = page.get("nextLink"), "", None  # a next link is complete


def list_all(session: AzureSession, address: str, api_version: str, what: str) -> list[dict]:
    """Return all resources of a list. For the parameters see C(AzureSession.send)."""
    return list(iterate(session, address, api_version, what))


class ArmResource:
    """One resource through one session, with one deadline.

    :param what: the resource as errors name it.
    :param error_of: takes the body of a failed resource, returns its error with C(code) and C(message).
    :param usual_interval: seconds between two reads during an operation, after the first ones; see C(interval).
    """

    def __init__(
        self,
        session: AzureSession,
        resource_id: str,
        api_version: str,
        what: str,
        deadline: Deadline,
        error_of: Callable[[Mapping], Mapping] = lambda body: {},
        usual_interval: float = USUAL_INTERVAL,
    ) -> None:
        self.id = resource_id
        self._session = session
        self._api_version = api_version
        self._what = what
        self.deadline = deadline
        self._error_of = error_of
        self._usual_interval = usual_interval
        self._conflict: AzureMLError | None = None  # the last change that was refused because of another change
        self._creation: dict | None = None  # the response to its creation by an earlier call

    def __str__(self) -> str:
        return self._what

    def read(self) -> dict | None:
        """Read the resource; C(None) if it does not exist."""
        return self._session.get(self.id, self._api_version, self._what)

    def read_once(self, longest: float = FRESH_FOR) -> dict | None:
        """Return the resource from the response to its creation, or read it once for all calls for a cluster.

        :param longest: the seconds for which it counts as unchanged.
        """
        self._creation = self._session.known.take_creation(self.id, longest)
        return self._creation or self._session.known.once(self.id, self.read, longest)

    def submit(
        self, method: str, wait: bool, present: dict | None, body: dict | None = None, params: dict | None = None
    ) -> Waiting[dict | None]:
        """Send a change; repeat it only if it was not applied.

        :param wait: whether to wait for the end of the operation.
        :param present: the resource before the change, C(None) if it did not exist.
        :returns: the resource after the change (C(None) if it is gone), without C(wait) the body of the response.
        :raises AzureMLError: if the service refuses the change, or the operation fails.
        """
        return (yield from self._finish(method, wait, present, self._send(method, present, body, params)))

    def replace(self, wait: bool, present: dict, body: dict, params: dict, shown: Mapping) -> Waiting[dict | None]:
        """Delete the resource, always wait for the deletion, and create it again.

        Meanwhile only this call has C(body), with settings that are not in the options: it keeps the body through
        conflicts, and adds it to the error if the resource could not be created.

        :param body: the request to create it from.
        :param params: query parameters of the DELETE.
        :param shown: C(body) without secrets, for the error.
        :returns: as C(submit).
        """
        is_deleted = False
        try:
            deletion = self._send("DELETE", present, None, params)
            is_deleted = True
            yield from self._finish("DELETE", True, present, deletion)
            self._conflict = None
            creation = yield from self.decide(lambda: self._create_again(body))
        except AzureMLError as error:
            if is_deleted or isinstance(error, TransientError):
                self._conflict = None  # deciding again would lose the body
                error.details["replacement"] = shown
                error.hint = (
                    "It was deleted in order to be replaced, and has not been created again. Run again to create it"
                    " without the settings that other clients made, or send this request yourself:"
                    f" {json.dumps(shown)}"
                )
            raise
        return (yield from self._finish("PUT", wait, None, creation))

    def _create_again(self, body: dict) -> Waiting[Response | None]:
        if self._conflict and (yield from self.settle()) is not None:
            raise AzureMLError(f"{self._what} was created by another client while it was replaced", code="Conflict")
        return self._send("PUT", None, body, None)

    def _send(self, method: str, present: dict | None, body: dict | None, params: dict | None) -> Response | None:
        def already_applied(error: AzureMLError) -> bool:
            may_be_invisible = present is None and error.status not in REJECTED
            reads, pause = READS_FOR_LOST_CREATE if may_be_invisible else 1, Intervals()
            while _revision(self.read()) == _revision(present):
                reads -= 1
                if not reads:
                    return False
                self.deadline.sleep(pause.next())
            return True

        try:
            return self._session.send(
                method, self.id, self._api_version, self._what, body, params, already_applied=already_applied
            )
        except AzureMLError as error:
            self._conflict = error if _is_conflict(error) else None
            raise

    def _finish(self, method: str, wait: bool, present: dict | None, response: Response | None) -> Waiting[dict | None]:
        """Return the resource after an accepted change, see C(submit)."""
        if not wait:
            found = (response.body if response else self.read()) or None
            if found and present is None and is_moving(found):
                self._session.known.keep_creation(self.id, found)
            return found
        was_seen = present is not None
        if response and response.headers.get("Azure-AsyncOperation"):
            was_seen |= yield from self._wait_for_operation(response)
        elif response and response.body and not is_moving(response.body):
            self.raise_if_failed(response.body)
            return response.body  # the current resource
        found = yield from self.settle(created=not was_seen)
        if found is None and method != "DELETE":
            raise AzureMLError(
                f"{self._what}: it was deleted while this task was waiting for it",
                code="RemovedMeanwhile",
                correlation_id=self._session.correlation_id,
                hint="Find out who deletes it, then run again.",
            )
        return found

    def _wait_for_operation(self, response: Response) -> Waiting[bool]:
        """Poll an asynchronous operation until it has succeeded, or the service does not know it any more: then the
        resource shows its result.

        :param response: that to the change, with the address of the operation.
        :returns: whether the operation was in progress and is unknown now, as after the deletion of its resource.
        :raises AzureMLError: with the operation's error if it failed, with code C(Timeout) after the deadline.
        """
        url, was_seen = response.headers["Azure-AsyncOperation"], False
        pause = Intervals(usual=self._usual_interval)
        while True:
            yield from self.deadline.pause(pause.next(least=retry_after(response.headers)))
            try:
                response = self._session.send("GET", url, "", self._what)
            except AzureMLError as error:
                if error.status == 404:
                    return was_seen
                raise
            was_seen = True
            status = str(response.body.get("status") or "")
            if status.lower() == "succeeded":
                return False
            if has_failed(status):
                raise operation_error(self._what, status, response.body.get("error"), self._session.correlation_id)
            if self.deadline.passed:
                raise timeout_error(self._what, self.deadline, f"its operation is in state {status or 'unknown'}")
            self.deadline.report(f"{self._what}: {status or 'unknown'}")

    def require_unchanged(self, present: dict | None) -> None:
        """Check that the resource is unchanged since a decision, if time has passed.

        :param present: the resource at the time of the decision.
        :raises AzureMLError: if it was changed; C(decide) decides again.
        """
        if _revision(self.read()) != _revision(present):
            self._conflict = AzureMLError(f"{self._what} was changed by another client", code="Conflict", status=409)
            raise self._conflict

    def decide(self, attempt: Callable[[], T | Waiting[T]]) -> Waiting[T]:
        """Read, decide and change; start over if another client changed the resource in between.

        :param attempt: reads, decides and changes.
        :returns: the result of C(attempt).
        :raises AzureMLError: from C(attempt); a conflict only if it persists.
        """
        pauses = Intervals()
        for _attempt in range(CONFLICTS):
            try:
                return (yield from waiting(attempt()))
            except AzureMLError as error:
                if error is not self._conflict or self.deadline.passed:
                    raise
                self.deadline.report(f"{self._what}: another client is changing it: {error.code}")
            yield from self.deadline.pause(pauses.next())
        return (yield from waiting(attempt()))

    def settle(self, present: dict | None = None, created: bool = False) -> Waiting[dict | None]:
        """Wait for the operation in progress; its failure is an error.

        :param present: the resource, if it was already read.
        :param created: whether it was just created: then the service may not know it at first.
        :returns: the resource, C(None) if it is gone.
        """
        is_creation = present is not None and present is self._creation
        patience = self.deadline.within(VISIBLE_WITHIN) if created or is_creation else None
        pause = Intervals(usual=self._usual_interval)
        while True:
            body, present = present or self.read(), None
            if body is not None:
                if body is not self._creation:
                    patience = None  # from now on, a 404 means that it was deleted
                if not is_moving(body):
                    self.raise_if_failed(body)
                    return body
            elif patience is None:
                return None
            state = "accepted, not visible yet" if body is None else state_of(body)
            if self.deadline.passed:
                raise timeout_error(self._what, self.deadline, f"it is in state {state}")
            if patience and patience.passed:
                raise AzureMLError(
                    f"{self._what}: the request to create it was accepted, but it does not exist"
                    f" {patience.seconds:g} seconds later",
                    code="NotVisible",
                    correlation_id=self._session.correlation_id,
                    hint="Run again.",
                )
            self.deadline.report(f"{self._what}: {state}")
            yield from self.deadline.pause(pause.next())

    def raise_if_failed(self, body: Mapping) -> None:
        """Turn a resource that ended as Failed or Canceled into an error."""
        state = state_of(body)
        if has_failed(state):
            raise operation_error(self._what, state, self._error_of(body), self._session.correlation_id)


def _revision(body: Mapping | None) -> tuple | None:
    """Return the parts of a resource that every change changes: its state, and ARM's record of the last change.

    Source: C(systemData) in the common types of ARM's specifications.
    """
    return None if body is None else (state_of(body), body.get("systemData"))


def _is_conflict(error: AzureMLError) -> bool:
    return error.status in (409, 412) and error.code not in NO_CONFLICT_CODES
