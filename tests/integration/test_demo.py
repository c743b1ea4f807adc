# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demonstration of the README: it shows what it promises, and leaves nothing behind, also when interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import processes_of

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def demo(tmp_path):
    """Start the demonstration in a folder of its own, with a home that should stay empty."""
    (tmp_path / "home").mkdir()
    environment = {
        **os.environ,
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(TESTS),
        "PYTHONPYCACHEPREFIX": str(tmp_path / "pycache"),
    }
    command = [sys.executable, str(TESTS / "demo/demo.py"), str(tmp_path / "demo")]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        yield process


def nothing_left(directory: Path) -> None:
    """No process knows the folder, and the home is empty."""
    assert processes_of(directory) == []
    assert list((directory / "home").iterdir()) == []


def test_it_shows_what_it_promises(demo, tmp_path):
    output = demo.communicate(timeout=120)[0]

    assert demo.returncode == 0, output
    first, second, verified, failed = output.split("\n$ ansible-playbook ")[1:]
    for cluster in ("shop-k3s", "plant-openshift", "aks-west"):
        assert f"{cluster} " in first.split("PLAY RECAP")[1]
    assert first.count("extension created") == 3
    assert second.split("PLAY RECAP")[1].count("changed=0 ") == 3
    assert "compute attached" in " ".join(verified.split())
    assert "ImagePullBackOff" in failed
    assert "Insufficient cpu" in failed
    nothing_left(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_behind(demo, tmp_path, number):
    seen = ""
    while "Run for all clusters: deploy" not in seen:
        line = demo.stdout.readline()
        assert line, seen
        seen += line
    time.sleep(0.5)

    demo.send_signal(number)
    demo.communicate(timeout=30)

    assert demo.returncode == 128 + number
    nothing_left(tmp_path)
