"""A terminal with `oec` in it, before a portal that really listens."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.api import keys
from apps.operations import services
from apps.operations.models import Operation
from tests.browser.server import portal_server
from tests.cast import Cast
from tests.operations.toys import pipelines  # noqa: F401  (registers them)

SECONDS = 60


class Terminal:
    """Where a person types; each command runs in a process of its own."""

    def __init__(self, home: Path, url: str, key: str) -> None:
        self.home, self.url, self.key = home, url, key

    @property
    def variables(self) -> dict[str, str]:
        own = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "OEC_URL": self.url}
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return kept | own | {"OEC_API_KEY": self.key, "COLUMNS": "120"}

    def start(self, *arguments: str, without: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        variables = {name: value for name, value in self.variables.items() if name not in without}
        command = [sys.executable, "-m", "oec", *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, env=variables, text=True, **pipes)

    def __call__(self, *arguments: str, typed: str = "", without: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
        process = self.start(*arguments, without=without)
        said, complained = process.communicate(typed, timeout=SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, said, complained)


@pytest.fixture
def portal(transactional_db: None, settings: Any) -> Iterator[str]:
    """The portal's address."""
    settings.API_STREAM_POLL_SECONDS = 0.1
    with portal_server() as address:
        yield address


@pytest.fixture
def terminal(portal: str, cast: Cast, tmp_path: Path) -> Callable[..., Any]:
    """Alice's terminal."""
    _, text = keys.create_key(organization=cast.acme, name="Terminal", kind="rw", actor=cast.alice)
    return Terminal(tmp_path, portal, text)


@pytest.fixture
def queue(cast: Cast, tmp_path: Path) -> Callable[..., Operation]:
    """Queues a toy with two steps."""

    def queue_toy(**parameters: Any) -> Operation:
        parameters = {"folder": str(tmp_path), **parameters}
        return services.queue(
            kind="toy.two",
            subject=cast.acme,
            organization=cast.acme,
            lock_key="toy",
            parameters=parameters,
            created_by=cast.alice,
        )

    return queue_toy


class Wire:
    """Passes bytes on between a client and the portal, and can be cut."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def cut(self) -> int:
        """Ends every connection that is open now; returns how many ends there were."""
        ends, self.ends = self.ends, []
        for end in ends:
            with contextlib.suppress(OSError):  # it is closed already
                end.shutdown(socket.SHUT_RDWR)
        return len(ends)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            self.ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


@pytest.fixture
def wire(portal: str) -> Iterator[Wire]:
    made = Wire(int(portal.rpartition(":")[2]))
    yield made
    made.listener.close()
    made.cut()
