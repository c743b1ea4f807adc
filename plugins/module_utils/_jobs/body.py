# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The job that proves a compute: its name and its request. Pure.

Source: C(CommandJob), C(JobBase) and C(JobResourceConfiguration) of the 2024-04-01 specification of
Microsoft.MachineLearningServices (mfe.json in https://github.com/Azure/azure-rest-api-specs).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

# The tag of jobs that this collection submits; its value is the compute. Only jobs with it are reused or deleted.
TAG = "azureml_arc_job_check"
EXPERIMENT = "azureml-arc-job-check"
# Seconds after its start at which Azure cancels a job that hangs. The default command ends immediately.
LONGEST_RUN = 600
_DIGEST_LENGTH = 10


@dataclass(frozen=True)
class WantedJob:
    """A job that proves a compute.

    :param compute_id: ARM id of the compute.
    :param instance_type: C(None) for the default one of the compute.
    :param revision: any other text that the proof depends on; a job with another revision is not reused.
    """

    compute_id: str
    environment: str
    command: str
    instance_type: str | None = None
    revision: str = ""

    @property
    def compute(self) -> str:
        """The name of the compute."""
        return self.compute_id.rpartition("/")[2]

    def name(self, day: date, attempt: int = 1) -> str:
        """Return the name of the job, by which a later run on the same day finds it.

        The pods of the job have the name as a label, so it has at most 63 characters and ends in a letter or digit.

        :param day: the day of the proof, in UTC.
        :param attempt: counted from 1. A name cannot be used twice, so the job after a failed one has the next number.
        """
        content = [self.compute_id.lower(), self.environment, self.command, self.instance_type, self.revision]
        digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_DIGEST_LENGTH]
        suffix = f"-{attempt}" if attempt > 1 else ""
        return f"arc-check-{self.compute.lower()[:24]}-{day:%Y%m%d}-{digest}{suffix}"

    def body(self) -> dict:
        """Return the body of the PUT that submits the job."""
        kind = {"instanceType": self.instance_type} if self.instance_type else {}
        return {
            "properties": {
                "jobType": "Command",
                "displayName": f"job check of {self.compute}",
                "experimentName": EXPERIMENT,
                "computeId": self.compute_id,
                "environmentId": self.environment,
                "command": self.command,
                "resources": {"instanceCount": 1, **kind},
                "limits": {"jobLimitsType": "Command", "timeout": f"PT{LONGEST_RUN}S"},
                "tags": {TAG: self.compute},
            }
        }


def proven_compute(body: Mapping) -> str:
    """Return the compute that a job of this collection proves, empty for any other job."""
    tags = (body.get("properties") or {}).get("tags") or {}
    return str(tags.get(TAG) or "")


def is_own(body: Mapping, compute: str) -> bool:
    """Return whether this collection submitted a job to prove a compute."""
    return proven_compute(body).lower() == compute.lower()
