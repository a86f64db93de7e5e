"""A private sshd on this machine: own port, own host key, keys only, everything in one folder."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
from pathlib import Path

from images.packages import ensure_packages
from tests.lab.commands import LabError, wait_until
from tests.lab.keys import KeyPair, ensure_key_pair, fingerprint
from tests.lab.processes import Daemon

SETTINGS = """\
ListenAddress {address}:{port}
HostKey {directory}/host_key
PidFile none
AuthorizedKeysFile {directory}/authorized_keys
# The folder's parents belong to whoever runs the lab; its own mode is 0700.
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
UseDNS no
# bash takes itself for a nested shell, and leaves out the person's .bashrc: what that starts costs each command time.
SetEnv SHLVL=1
Subsystem sftp internal-sftp
LogLevel VERBOSE
"""


class PrivateSshd:
    """An sshd in `directory`, listening on `address` and `port`. Starting it again replaces the one that runs."""

    def __init__(self, directory: Path, *, address: str, port: int, name: str = "sshd") -> None:
        self.directory = directory
        self.address = address
        self.port = port
        self.user = getpass.getuser()
        self.daemon = Daemon(name, directory)

    @property
    def host_key(self) -> str:
        """The public host key, `ssh-ed25519 AAAA…`."""
        return " ".join((self.directory / "host_key.pub").read_text().split()[:2])

    @property
    def host_key_fingerprint(self) -> str:
        return fingerprint(self.directory / "host_key.pub")

    def start(self, *, wrapper: tuple[str | Path, ...] = ()) -> None:
        """Start (or restart) it, and return when it answers. `wrapper` is put in front of the command.

        Raises `LabError` when the port belongs to somebody else.
        """
        ensure_packages(("openssh-server",))
        self.write_settings()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own requirement when it runs as root
        self.daemon.stop()
        ensure_port_is_free(self.address, self.port)
        self.daemon.start([*wrapper, "/usr/sbin/sshd", "-D", "-e", "-f", self.directory / "sshd_config"])
        wait_until(lambda: self.daemon.pid > 0 and answers(self.address, self.port), timeout=40, what="sshd answers")

    def write_settings(self) -> None:
        """The folder with the host key, the configuration and who may come in."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        ensure_key_pair(self.directory / "host_key", comment="host")
        (self.directory / "authorized_keys").touch(mode=0o600)
        settings = SETTINGS.format(address=self.address, port=self.port, directory=self.directory)
        (self.directory / "sshd_config").write_text(settings)

    def stop(self) -> None:
        self.daemon.stop()

    @property
    def is_running(self) -> bool:
        return self.daemon.mark is not None

    def authorize(self, public_key: str, *, options: str = "") -> None:
        """Let the owner of `public_key` in; `options` as in `authorized_keys`(5). Not added a second time."""
        file = self.directory / "authorized_keys"
        line = f"{options} {public_key.strip()}".strip()
        if line not in file.read_text().splitlines():
            with file.open("a") as handle:
                handle.write(f"{line}\n")


class ThisMachine(PrivateSshd):
    """This machine itself as a server: its own Docker engine and files, reached by SSH like any other.

    `user` is who runs the lab. `private_key` is authorized from the start.
    """

    def __init__(self, directory: Path, *, port: int, address: str = "127.0.0.1") -> None:
        super().__init__(directory, address=address, port=port)
        self.name = "this-machine"

    @property
    def key(self) -> KeyPair:
        return ensure_key_pair(self.directory / "id_ed25519", comment="this-machine@lab")

    @property
    def private_key(self) -> str:
        return self.key.private_key

    @property
    def public_key(self) -> str:
        return self.key.public_key

    def start(self, *, wrapper: tuple[str | Path, ...] = ()) -> None:
        super().start(wrapper=wrapper)
        self.authorize(self.public_key)


def this_machine(port: int, *, directory: Path, address: str = "127.0.0.1") -> ThisMachine:
    """Make this machine a server behind a private sshd on `address:port`, started or left running."""
    machine = ThisMachine(directory, port=port, address=address)
    ensure_running(machine)
    return machine


def ensure_running(machine: ThisMachine) -> None:
    """Started, or left running."""
    if not (machine.is_running and answers(machine.address, machine.port)):
        machine.start()


def answers(address: str, port: int, *, timeout: float = 1) -> bool:
    """True when something accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=timeout):
        return True
    return False


def ensure_port_is_free(address: str, port: int) -> None:
    """Raise `LabError` when somebody else listens there: whoever it is, it is not ours to end."""
    if answers(address, port):
        raise LabError(f"port {port} on {address} is in use by another program")
