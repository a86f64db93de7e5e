"""An sshd that runs as root for somebody who is not root but may use Docker: the same right under another name.

A server is reached as root, or as one who may use sudo. Whoever has neither still has a server to show: Docker starts
the machine's own sshd, in its own files.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import docker.errors
from docker.models.containers import Container

from images.engine import connect
from images.packages import ensure_packages
from tests.lab.commands import LabError, wait_until
from tests.lab.sshd import ThisMachine, answers, ensure_port_is_free

IMAGE = "busybox:stable"
# sshd wants this folder when it runs as root.
_SSHD = 'mkdir -p -m 0755 /run/sshd && exec /usr/sbin/sshd -D -e -f "$1"'


class MachineByDocker(ThisMachine):
    """This machine as a server whose user is root, without being root."""

    def __init__(self, directory: Path, *, port: int, address: str = "127.0.0.1") -> None:
        super().__init__(directory, port=port, address=address)
        self.user = "root"
        self.container_name = f"oecsh_demo_sshd_{os.getuid()}"

    @property
    def is_running(self) -> bool:
        container = self._container()
        return container is not None and container.status == "running"

    def start(self, *, wrapper: tuple[str | Path, ...] = ()) -> None:
        """Start (or restart) it, and return when it answers. Raises `LabError` where Docker or the port is not to be
        had."""
        if wrapper:
            raise ValueError("It runs in a container: nothing can be put in front of it.")
        ensure_packages(("openssh-server",))
        self.write_settings()
        self.stop()
        ensure_port_is_free(self.address, self.port)
        client = connect()
        if client is None:
            raise LabError("no Docker engine answers")
        client.containers.run(
            IMAGE,
            ["chroot", "/host", "sh", "-c", _SSHD, "sh", str(self.directory / "sshd_config")],
            name=self.container_name,
            detach=True,
            security_opt=["apparmor=unconfined", "label=disable"],
            pid_mode="host",
            network_mode="host",
            volumes={"/": {"bind": "/host", "mode": "rw"}},
        )
        wait_until(lambda: self.is_running and answers(self.address, self.port), timeout=40, what="sshd answers")
        self.authorize(self.public_key)

    def stop(self) -> None:
        container = self._container()
        if container is not None:
            with contextlib.suppress(docker.errors.NotFound):
                container.remove(force=True)

    def _container(self) -> Container | None:
        client = connect()
        if client is None:
            return None
        with contextlib.suppress(docker.errors.NotFound):
            return client.containers.get(self.container_name)
        return None


def may_use_sudo() -> bool:
    """True for root, and for one who may use sudo without a password."""
    if os.geteuid() == 0:
        return True
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False, timeout=10).returncode == 0
    return False
