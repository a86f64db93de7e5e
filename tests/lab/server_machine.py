"""A light machine of namespaces with its own address, files, sshd and (if wanted) Docker engine: its life and console.

Everything in it lies at the usual place (`/opt`, `/var/lib/docker`, `/run/docker.sock`, port 22), so that what is
tested against it needs no special setting.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import docker as docker_library

from tests.lab import roots
from tests.lab.cgroups import ServerGroup
from tests.lab.commands import LabError, Words, execute, wait_until
from tests.lab.keys import ensure_key_pair, fingerprint
from tests.lab.network import Bridge, ServerNetwork
from tests.lab.paths import PACKAGE
from tests.lab.processes import Daemon, command_name
from tests.lab.server_files import HOST_KEY, ServerFiles


class ServerMachine:
    """What a server is, without the means to break it (`LabServer` has them). `create` resets it, `reboot` does not."""

    user = "root"
    port = 22

    def __init__(self, *, name: str, number: int, bridge: Bridge, directory: Path, docker: bool) -> None:
        self.name = name
        self.has_docker = docker
        self.directory = directory
        self.network = ServerNetwork(bridge, number)
        self.files = ServerFiles(directory)
        self.group = ServerGroup(f"lab{bridge.slot}-{name}")
        self.machine = Daemon("machine", directory)
        key = ensure_key_pair(directory / "id_ed25519", comment=f"{name}@lab")
        self.private_key = key.private_key
        self.public_key = key.public_key
        self._key = key

    @property
    def address(self) -> str:
        return self.network.address

    @property
    def host_key_fingerprint(self) -> str:
        """`SHA256:…` of the host key that sshd shows now."""
        return fingerprint(self.path(f"/{HOST_KEY}.pub"))

    @property
    def host_key(self) -> str:
        """The public host key, `ssh-ed25519 AAAA…`."""
        return " ".join(self.path(f"/{HOST_KEY}.pub").read_text().split()[:2])

    @property
    def docker(self) -> docker_library.DockerClient:
        """A client of the server's engine by its socket: a side door for assertions, not SSH. Close it."""
        return docker_library.DockerClient(base_url=f"unix://{self.path('/run/docker.sock')}", timeout=120)

    # --- life -----------------------------------------------------------------------------------------------------

    def create(self) -> Self:
        """Start the server afresh, whatever an earlier session left of it. Images that it pulled are kept."""
        self.stop()
        self.files.reset(name=self.name, network=self.network, key=self._key)
        self.boot()
        if self.has_docker:
            self._remove_what_containers_left()
        return self

    def boot(self) -> None:
        """Start the server with the files it has, and return when sshd (and Docker) answer."""
        layers = ":".join(str(layer) for layer in roots.layers(docker=self.has_docker))
        self.network.create()
        self.group.create()
        self._write_groups()
        self.machine.start(
            ["sh", PACKAGE / "namespaces.sh", self.directory, self.name, self.network.path, layers],
        )
        wait_until(self._has_init, timeout=60, what=f"{self.name} boots (log: {self.machine.log})")
        if self.group.hierarchies[0].is_version_2:
            (self.directory / "groups").write_text("".join(f"{path}/init\n" for path in self.group.directories))
        self.wait_for_ssh()
        if self.path("/etc/init.d/docker").exists():
            self.wait_for_docker()

    def stop(self) -> None:
        """Power off: everything of the server's dies at once. Harmless when it is off."""
        self.machine.stop(grace=0)
        self.group.kill()
        self.group.remove()
        self.network.remove()

    def reboot(self) -> None:
        """Pull the plug and switch on again: files stay, processes, mounts and firewall rules do not."""
        self.stop()
        self.boot()

    def destroy(self, *, keep_images: bool = True) -> None:
        """Power off and forget its files; Docker's images stay for the next time unless told otherwise."""
        self.stop()
        for folder in ("upper", "work", "root", "opt", *(() if keep_images else ("docker",))):
            shutil.rmtree(self.directory / folder, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        return self.machine.mark is not None and self._has_init()

    # --- the side door --------------------------------------------------------------------------------------------

    def run(
        self, arguments: Sequence[str], *, check: bool = True, stdin: str | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command at the server's console, as root (not by SSH). Raises `LabError` when it fails, if `check`."""
        command: Words = [
            "sh",
            PACKAGE / "enter.sh",
            self.directory / "groups",
            str(self.init_pid),
            *arguments,
        ]
        return execute(command, check=check, stdin=stdin, timeout=timeout)

    def path(self, path: str) -> Path:
        """A file of the running server as this machine sees it. Absolute symbolic links in it lead astray."""
        return Path(f"/proc/{self.init_pid}/root") / path.lstrip("/")

    def forget_owner(self) -> None:
        """It belongs to no row any more: the one that it belonged to went with a test's database."""
        self.path("/opt/oecsh/owner").unlink(missing_ok=True)

    @property
    def init_pid(self) -> int:
        """Pid of the server's process 1, as this machine counts. Raises `LabError` when the server is off."""
        children = _children(self.machine.pid)
        if not children:
            raise LabError(f"{self.name} has not booted:\n{self.machine.log_tail()}")
        return children[0]

    def wait_for_ssh(self) -> None:
        wait_until(self._ssh_answers, timeout=60, what=f"sshd of {self.name} answers")

    def wait_for_docker(self) -> None:
        wait_until(self._docker_answers, timeout=60, what=f"Docker of {self.name} answers")

    # --- inner parts ----------------------------------------------------------------------------------------------

    def _has_init(self) -> bool:
        """True when the namespaces are there and the shell that makes them has become tini."""
        return any(command_name(pid) == "tini" for pid in _children(self.machine.pid))

    def _ssh_answers(self) -> bool:
        try:
            # From inside, so that it can be asked while the server is cut off from the network.
            return "sshd" in self.run(["ss", "--listening", "--tcp", "--processes", "sport = :22"]).stdout
        except LabError:
            return False

    def _docker_answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            try:
                connection.connect(str(self.path("/run/docker.sock")))
                connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b"200 OK" in connection.recv(100)
            except OSError:
                return False

    def _write_groups(self) -> None:
        (self.directory / "groups").write_text("".join(f"{path}\n" for path in self.group.directories))
        first = self.group.hierarchies[0]
        lines = [f"{tree.path.name} {tree.options}\n" for tree in self.group.hierarchies]
        (self.directory / "hierarchies").write_text("version2\n" if first.is_version_2 else "".join(lines))

    def _remove_what_containers_left(self) -> None:
        client = self.docker
        try:
            for container in client.containers.list(all=True, ignore_removed=True):
                container.remove(force=True, v=True)
            for network in client.networks.list():
                if network.name not in ("bridge", "host", "none"):
                    network.remove()
            for volume in client.volumes.list():
                volume.remove(force=True)
        finally:
            client.close()


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
