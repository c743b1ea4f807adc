# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(make demo) and C(make simulator): their output, and that they leave no processes when interrupted."""

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
    """Start the demonstration in a separate folder, with a home that must stay empty."""
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


@pytest.fixture
def playground(tmp_path):
    """Start the simulator like C(make simulator)."""
    command = [sys.executable, str(TESTS / "demo/playground.py"), str(tmp_path / "simulator")]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(TESTS)}, stdout=subprocess.PIPE) as process:
        yield process
        process.terminate()


def nothing_left(directory: Path) -> None:
    """Assert that no process uses the folder, and that the home is empty."""
    assert processes_of(directory) == []
    assert list((directory / "home").iterdir()) == []


def test_demo_shows_a_failed_cluster_and_its_repair_in_less_than_sixty_lines(demo, tmp_path):
    output = demo.communicate(timeout=120)[0]

    assert demo.returncode == 0, output
    first, again, verified = output.split("\n$ ansible-playbook ")[1:]
    assert first.count("extension installed") == 3
    assert "ImagePullBackOff" in first
    assert "Insufficient cpu" in first
    assert again.count("extension unchanged") == 3
    assert again.split("PLAY RECAP")[1].count("changed=0 ") == 3
    assert again.split("PLAY RECAP")[1].count("changed=1 ") == 1
    assert verified.count("compute attached") == 4
    assert verified.split("PLAY RECAP")[1].count("changed=0 ") == 4
    assert len([line for line in output.splitlines() if line.strip()]) < 60, output
    nothing_left(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_demo_leaves_no_processes_or_files(demo, tmp_path, number):
    seen = ""
    while "PLAY [Deploy" not in seen:
        line = demo.stdout.readline()
        assert line, seen
        seen += line
    time.sleep(0.5)

    demo.send_signal(number)
    demo.communicate(timeout=30)

    assert demo.returncode == 128 + number
    nothing_left(tmp_path)


def test_playground_prints_an_environment_in_which_the_playbooks_run(playground, tmp_path):
    text = ""
    while "Ctrl-C" not in text:
        text += playground.stdout.readline().decode()
    exports = "\n".join(line for line in text.splitlines() if line.startswith("export "))
    command = (
        "ansible-playbook azureml.arc.deploy --limit shop-k3s && ansible-playbook azureml.arc.verify --limit shop-k3s"
    )

    finished = subprocess.run(
        ["bash", "-euc", f"{exports}\n{command}"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "extension 1.1.61 in sync" in finished.stdout
    playground.send_signal(signal.SIGINT)
    playground.wait(timeout=15)
    assert processes_of(tmp_path) == []
