"""The layer of files in which one lab server differs from the common root: names, keys, sshd, Docker's settings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.lab.commands import execute
from tests.lab.keys import KeyPair
from tests.lab.network import NETWORK, ServerNetwork, outer_mtu

HOST_KEY = Path("etc/ssh/ssh_host_ed25519_key")

SSHD_SETTINGS = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
"""

DOCKER_DEFAULTS = """\
# Debian's start script raises the limit of open files, and gives up where it may not. It may not on a machine whose
# root is without CAP_SYS_RESOURCE; the engine itself runs well within the limit that it has.
ulimit() { command ulimit "$@" 2>/dev/null || true; }
"""


class ServerFiles:
    """The folders of one server on this machine: `upper` is what it has written to its own file system."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.upper = directory / "upper"

    def reset(self, *, name: str, network: ServerNetwork, key: KeyPair) -> None:
        """Forget everything the server has written, Docker's images excepted, and write what it starts with."""
        for folder in ("upper", "work", "root", "opt"):
            shutil.rmtree(self.directory / folder, ignore_errors=True)
            (self.directory / folder).mkdir(parents=True)
        (self.directory / "docker").mkdir(exist_ok=True)
        for image in self.directory.glob("*.disk"):
            image.unlink()
        self.write("etc/hostname", f"{name}\n")
        self.write("etc/hosts", f"127.0.0.1 localhost\n{network.address} {name}\n")
        self.write("etc/resolv.conf", _name_servers())
        self.write("etc/ssh/sshd_config.d/lab.conf", SSHD_SETTINGS)
        self.write("etc/docker/daemon.json", json.dumps(docker_settings(network), indent=2))
        self.write("etc/default/docker", DOCKER_DEFAULTS)
        # The engine's package, when it is installed later, keeps the settings above without asking.
        self.write("etc/dpkg/dpkg.cfg.d/lab", "force-confold\n")
        self.write("root/.ssh/authorized_keys", f"{key.public_key}\n", mode=0o600)
        for folder in ("root", "root/.ssh"):
            (self.upper / folder).chmod(0o700)
        self.make_host_key()
        self._disable_restarts()

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file into the layer. Only while the server is down: a mounted layer must not change underneath."""
        file = self.upper / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def make_host_key(self) -> None:
        """A new host key (ed25519). Only while the server is down."""
        file = self.upper / HOST_KEY
        for part in (file, file.with_name(f"{file.name}.pub")):
            part.unlink(missing_ok=True)
        execute(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "host", "-f", file])

    def _disable_restarts(self) -> None:
        """Containers of the last session must not be started by the engine just to be removed a moment later."""
        for file in (self.directory / "docker/containers").glob("*/hostconfig.json"):
            settings = json.loads(file.read_text())
            settings["RestartPolicy"] = {"Name": "no", "MaximumRetryCount": 0}
            file.write_text(json.dumps(settings))


def docker_settings(network: ServerNetwork) -> dict[str, object]:
    """What an administrator behind a registry mirror writes into `daemon.json`."""
    mirror = f"{network.bridge.address}:5000"
    return {
        "registry-mirrors": [f"http://{mirror}"],
        "insecure-registries": [f"{NETWORK}.0.0/16"],
        "mtu": outer_mtu(),
    }


def _name_servers() -> str:
    """This machine's name servers, leaving out a local stub that is nowhere else to be reached."""
    for file in (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf")):
        if file.exists():
            lines = [line for line in file.read_text().splitlines() if not line.startswith("nameserver 127.")]
            return "\n".join(lines) + "\n"
    return ""
