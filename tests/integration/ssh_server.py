# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real SSH server on loopback with its own keys, as the machine to which Ansible connects."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from support import processes_of, wait_for

from machine.needs import program


@contextlib.contextmanager
def running(directory: Path, environment: Mapping[str, str]) -> Iterator[dict]:
    """Run a server; stop it at the end, and check that no process of a session remains.

    :param environment: additional environment variables of sessions.
    :returns: the variables of a host that connects to it.
    """
    sshd = program("sshd")
    directory.mkdir(mode=0o700)
    for name in ("host", "client"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name]
        subprocess.run(command, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": directory / "host",
        "AuthorizedKeysFile": directory / "client.pub",
        "PidFile": directory / "sshd.pid",
        "SetEnv": " ".join(f"{name}={value}" for name, value in environment.items()),
        "PasswordAuthentication": "no",
        "StrictModes": "no",
        "Subsystem": "sftp internal-sftp",
    }
    (directory / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # required for the privilege separation of sshd
    server = subprocess.Popen([sshd, "-D", "-e", "-f", directory / "sshd_config"], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None)
        yield {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": port,
            "ansible_user": getpass.getuser(),
            "ansible_ssh_use_tty": os.geteuid() == 0,  # other users may not own the terminal of the session
            "ansible_ssh_args": "-o ControlMaster=no",  # connections end with the run
            "ansible_ssh_pipelining": True,  # one connection for each module, instead of five
            "ansible_ssh_private_key_file": str(directory / "client"),
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
            "ansible_python_interpreter": sys.executable,
        }
    finally:
        server.terminate()
        server.wait(timeout=10)
    assert processes_of(directory) == []
