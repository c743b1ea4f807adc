# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The batches of a play, which are the waves of a rollout: their shared state and their results."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field

from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.handover import Handover
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.guards import PlaySettings
from ansible_collections.azureml.arc.plugins.plugin_utils._report.rollout import Row, Wave, count_waves, row


@dataclass
class Rollout:
    """The state that the batches of a play share.

    :param began: when the first batch began, in seconds since 1970.
    :param waves: the number of batches.
    :param number: of the current batch, from 1 on.
    :param allowed: how many clusters may fail; C(None) for a play without waves.
    :param refused: the hosts with invalid variables, with their errors.
    :param failed: the hosts that failed in former batches.
    :param not_started: the hosts of later batches.
    :param batch: the hosts of the current batch.
    :param stopped: why no further batch starts; empty if one does.
    :param noun: the kind of the hosts, C(cluster) or C(machine).
    """

    began: float = field(default_factory=time.time)
    waves: int = 0
    number: int = 0
    allowed: int | None = None
    refused: dict = field(default_factory=dict)
    failed: list = field(default_factory=list)
    not_started: list = field(default_factory=list)
    batch: list = field(default_factory=list)
    stopped: str = ""
    noun: str = "cluster"

    def wave(self, rows: list[Row]) -> Wave:
        """Return the current batch by its rows."""
        failed = [*self.failed, *(one.name for one in rows if one.counts_as_failed)]
        elapsed = time.time() - self.began
        place = (self.number, elapsed, self.waves)
        return Wave(rows, failed, self.not_started, self.allowed, *place, self.stopped, self.noun)

    def end_batch(self, rows: list[Row]) -> None:
        """Record the result of the current batch."""
        wave = self.wave(rows)
        self.failed = list(wave.failed)
        if wave.stopped:
            self.stopped = self.stopped or wave.summary()

    def begin_batch(self, settings: PlaySettings) -> None:
        """Start the next batch."""
        self.number += 1
        self.batch = settings.batch
        if not self.stopped:  # otherwise its clusters do not start either
            self.not_started = settings.hosts[max(map(settings.hosts.index, self.batch)) + 1 :]


class Batches:
    """The batches of the play of a task; a file of the run keeps their state.

    :param action: the action of the task.
    :param handover: the results of hosts.
    """

    def __init__(self, action: ActionBase, handover: Handover) -> None:
        self._play = action._task.get_play()
        self._check_mode = bool(action._task.check_mode)
        self._handover = handover
        self._key = f"play {self._play._uuid}"

    def begin(self, settings: PlaySettings, waves: bool, noun: str) -> Rollout:
        """End the former batch, if there was one, and begin the next.

        :param waves: whether batches are waves with a failure budget.
        :param noun: the kind of the hosts, C(cluster) or C(machine).
        :raises AnsibleActionFail: if the budget is invalid.
        """
        kept = self._handover.read(self._key)
        if kept:
            rollout = Rollout(**kept)
            rollout.end_batch(self._rows(rollout, ended=True))
        else:
            allowed = settings.allowed_failures() if waves else None
            count = count_waves(self._play.serial, len(settings.hosts))
            rollout = Rollout(waves=count, allowed=allowed, noun=noun)
        rollout.begin_batch(settings)
        return rollout

    def keep(self, rollout: Rollout) -> None:
        """Keep the state for later tasks."""
        self._handover.leave(self._key, asdict(rollout))

    def current_wave(self) -> Wave:
        """Return the current batch by the results so far, and lock it until this process ends.

        Other processes wait until this one has sent its result, so that later results contain the earlier ones.
        """
        self._handover.lock(self._key)
        rollout = Rollout(**(self._handover.read(self._key) or {}))
        return self.wave(rollout)

    def wave(self, rollout: Rollout) -> Wave:
        """Return the current batch by the results so far."""
        return rollout.wave(self._rows(rollout, ended=False))

    def _rows(self, rollout: Rollout, ended: bool) -> list[Row]:
        results = {name: (self._handover.taken(name) or {}).get("result") for name in rollout.batch}
        return [row(name, result, self._check_mode, ended) for name, result in results.items()]


def figures(wave: Wave) -> dict:
    """Return a wave as part of a result."""
    return {
        "clusters": [asdict(one) for one in wave.rows],
        "failed_clusters": list(wave.failed),
        "not_started": list(wave.not_started),
        "allowed_failures": wave.allowed,
        "stopped": wave.stopped,
        "summary": wave.summary(),
    }


def artifacts(wave: Wave) -> dict:
    """Return the figures of a wave in the format of C(set_stats), so that they become artifacts of the job in AWX."""
    return {"ansible_stats": {"data": {"azureml_rollout": wave.stats()}, "per_host": False, "aggregate": False}}
