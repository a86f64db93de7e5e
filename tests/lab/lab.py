"""`Lab`: the way to everything in the lab. A session takes a slot; servers and daemons of a slot are its own."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from images.catalog import chosen
from images.engine import ensure_engine
from images.packages import ensure_packages
from images.registry import stop_registry
from images.transfer import serve
from tests.lab.acme import AcmeServer
from tests.lab.commands import LabError, file_lock
from tests.lab.dns import DnsServer
from tests.lab.git import GitServer
from tests.lab.mail import MailSink
from tests.lab.network import Bridge
from tests.lab.paths import slot_directory
from tests.lab.registry import PrivateRegistry
from tests.lab.server import LabServer

BY_HAND = 0
"""The slot of the lab that is started by hand and of the demo. Test sessions take the first free one after it."""

SLOTS = 8

SERVER_PACKAGES = ("debootstrap", "iproute2", "iptables", "openssh-client", "util-linux", "e2fsprogs")

Part = GitServer | DnsServer | AcmeServer | MailSink | PrivateRegistry


class Lab:
    """The lab of one slot. Needs root. Close it (or use it as a context manager) to power off its servers."""

    def __init__(self, slot: int | None = None) -> None:
        if os.geteuid() != 0:
            raise LabError("the lab makes network namespaces and mounts: it needs root")
        ensure_packages(SERVER_PACKAGES)
        self._lock: TextIO | None = None
        self.slot = self._take_slot(range(BY_HAND + 1, SLOTS) if slot is None else (slot,))
        self.directory = slot_directory(self.slot)
        self.bridge = Bridge(self.slot)
        self.bridge.ensure()
        self._servers: dict[str, LabServer] = {}
        address = self.address
        self.git = GitServer(self.directory / "git", address=address)
        self.dns = DnsServer(self.directory / "dns", address=address)
        self.acme = AcmeServer(self.directory / "acme", address=address, dns=self.dns)
        self.mail = MailSink(self.directory / "mail", address=address)
        self.private_registry = PrivateRegistry(self.directory / "registry", address=address)

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """This machine as the lab's servers see it."""
        return self.bridge.address

    def server(self, name: str, *, docker: bool = True) -> LabServer:
        """The server of that name, started afresh the first time in this session and the same one from then on.

        One that was stopped meanwhile is started afresh too.
        Raises `LabError` when it exists with another flavour, or when `name` is no host name.
        """
        server = self._servers.get(name)
        if server is None:
            server = self.known_server(name, docker=docker)
        if server.has_docker != docker:
            raise LabError(f"server {name} exists {'with' if server.has_docker else 'without'} Docker")
        if name not in self._servers or not server.is_running:
            self._servers[name] = server.create()
        return server

    def known_server(self, name: str, *, docker: bool = True) -> LabServer:
        """The server of that name as it is, running or not."""
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
            raise LabError(f"{name!r} is no name for a server")
        directory = self.directory / "servers" / name
        directory.mkdir(parents=True, exist_ok=True)
        flavour = directory / "flavour"
        wanted = "docker" if docker else "bare"
        if not flavour.exists() or flavour.read_text() != wanted:
            flavour.write_text(wanted)
        return LabServer(name=name, number=self._number(name), bridge=self.bridge, directory=directory, docker=docker)

    def server_names(self) -> dict[str, bool]:
        """Every server that this slot has ever had, and whether it comes with Docker."""
        found = sorted((self.directory / "servers").glob("*/flavour"))
        return {file.parent.name: file.read_text() == "docker" for file in found}

    def serve_images(self, names: Sequence[str] = ()) -> str:
        """Let the servers' engines pull these images of `images/` (all of them by default) as from the Docker Hub.

        Builds what nobody has built yet (minutes); returns the address of the registry, which is the engines' mirror.
        """
        return serve(ensure_engine(), chosen(list(names)), address=self.address)

    def stop_servers(self) -> None:
        """Power off every server of the slot, of earlier sessions too."""
        for name, docker in self.server_names().items():
            self.known_server(name, docker=docker).stop()
        self._servers.clear()

    @property
    def daemons(self) -> tuple[Part, ...]:
        """The parts that are programs on this machine; each has `start`, `stop` and `is_running`."""
        return (self.git, self.dns, self.acme, self.mail, self.private_registry)

    def close(self) -> None:
        """Power off the servers, end the programs and give the slot back."""
        self.stop_servers()
        for part in self.daemons:
            part.stop()
        stop_registry(self.address)
        self.bridge.remove()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _number(self, name: str) -> int:
        """Last part of the server's address: the same for a name as long as the slot's folder exists."""
        file = self.directory / "numbers.json"
        with file_lock(self.directory / "numbers.lock"):
            numbers: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
            if name not in numbers:
                numbers[name] = next(number for number in range(11, 251) if number not in numbers.values())
                file.write_text(json.dumps(numbers))
        return numbers[name]

    def _take_slot(self, slots: Sequence[int]) -> int:
        """Lock the first of the slots that no living session holds; the lock ends with this process, however it ends.

        The slot that is used by hand outlives the commands that use it, and is not locked.
        """
        for slot in slots:
            if slot == BY_HAND:
                return slot
            handle = Path(slot_directory(slot) / "lock").open("a")  # noqa: SIM115 (held as long as the lab is)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.close()
                continue
            self._lock = handle
            return slot
        raise LabError("the lab's slots are in use by other sessions")
