# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status, the times and the page of a job, as Azure returns them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from ansible_collections.azureml.arc.plugins.module_utils._azure.states import FINAL_JOB_STATES


def status_of(body: Mapping) -> str:
    """Return the status in the service's spelling."""
    return (body.get("properties") or {}).get("status") or "Unknown"


def has_ended(body: Mapping) -> bool:
    """Return whether the status of a job is final."""
    return status_of(body).lower() in FINAL_JOB_STATES


def has_completed(body: Mapping) -> bool:
    """Return whether a job has ended successfully."""
    return status_of(body).lower() == "completed"


def view(body: Mapping) -> dict:
    """Return the fields of the module's result that come from Azure.

    The properties of a job contain its times, C(StartTimeUtc) and C(EndTimeUtc), in the form C(2026-03-31 18:14:56);
    the specification does not define them. Source: a job in the documentation of azure_rm_ml_job_info,
    https://github.com/ansible-collections/azure. The page in studio is service C(Studio).
    """
    properties = body.get("properties") or {}
    known = properties.get("properties") or {}
    began, ended = _time(known.get("StartTimeUtc")), _time(known.get("EndTimeUtc"))
    return {
        "name": body.get("name"),
        "id": body.get("id"),
        "status": status_of(body),
        "queue_seconds": _between(created_at(body), began),
        "seconds": _between(began, ended),
        "studio_url": ((properties.get("services") or {}).get("Studio") or {}).get("endpoint"),
    }


def created_at(body: Mapping) -> datetime | None:
    """Return when a job was submitted, C(None) if that is unknown."""
    return _time((body.get("systemData") or {}).get("createdAt"))


def _between(first: datetime | None, second: datetime | None) -> float | None:
    """Return the seconds between two times, at least 0: the times come from services whose clocks may differ."""
    return None if first is None or second is None else max(0.0, (second - first).total_seconds())


def _time(value: object) -> datetime | None:
    text = str(value or "").strip().replace("Z", "+00:00")
    # Before 3.11, Python parses only fractions of 3 or 6 digits; ARM sends 7.
    seconds, dot, rest = text.partition(".")
    fraction = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    try:
        found = datetime.fromisoformat(seconds + rest[len(fraction) :] if dot else text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
