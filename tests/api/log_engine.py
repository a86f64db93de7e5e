"""A server with one environment whose log is what a test wants it to be: asked through SSH, as on a real one."""

from __future__ import annotations

import contextlib
import json
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import paramiko

from apps.core import clock
from apps.environments.models import Environment
from apps.orgs.models import Organization
from apps.servers.models import Server
from tests.factories import make_environment, make_project, make_server
from tests.servers.peer import Peer, http, serving


class LogEngine:
    """What its Docker has of the log, and what it was asked. Who follows it hears nothing but `announce`."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []
        self.asked: list[dict[str, str]] = []
        self.failures = 0
        self.answering = threading.Event()
        self.answering.set()
        self.followed = threading.Event()
        self._news = threading.Semaphore(0)
        self._lock = threading.Lock()

    def write(self, *texts: str, at: int | None = None) -> None:
        """Lines, a microsecond apart from each other."""
        first = at or now()
        self.lines += [(first + number, text) for number, text in enumerate(texts)]

    def announce(self) -> None:
        """Tells whoever follows the log."""
        self._news.release()

    def reply(self, path: str, channel: paramiko.Channel) -> None:
        """The answer to one request."""
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if not url.path.endswith("/logs"):
            _send(channel, 200, json.dumps({"Config": {"Tty": False}}).encode())
        elif query.get("follow") == "1":
            self._be_followed(channel)
        else:
            self._be_read(query, channel)

    def _be_followed(self, channel: paramiko.Channel) -> None:
        channel.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.followed.set()
        while not channel.closed:
            if self._news.acquire(timeout=0.05):
                piece = _frame(b"something\n")
                channel.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))

    def _be_read(self, query: dict[str, str], channel: paramiko.Channel) -> None:
        with self._lock:
            self.asked.append(query)
            fails, self.failures = self.failures > 0, self.failures - 1
        self.answering.wait(30)
        if fails:
            _send(channel, 500, b'{"message": "busy"}')
            return
        since = int(Decimal(query.get("since", "0")) * 1_000_000)
        found = [line for line in self.lines if line[0] >= since]
        if query.get("tail", "all") != "all":
            found = found[-int(query["tail"]) :]
        _send(channel, 200, b"".join(_frame(_line(*line)) for line in found))


def now() -> int:
    """This moment, as a line's number."""
    return int(clock.now().timestamp() * 1_000_000)


@contextlib.contextmanager
def log_engine() -> Iterator[tuple[LogEngine, Peer]]:
    """`with log_engine() as (engine, peer)`; its server's row is made by `environment_at`."""
    engine = LogEngine()
    with serving(docker=http(engine.reply)) as peer:
        yield engine, peer


def environment_at(peer: Peer, organization: Organization, name: str = "Shop", **fields: Any) -> Environment:
    """A running environment on a server that is `peer`."""
    return make_environment(
        make_project(organization, name), server=server_at(peer, organization), status="running", **fields
    )


def server_at(peer: Peer, organization: Organization) -> Server:
    """The row of a server whose SSH is `peer`."""
    endpoint = peer.endpoint()
    row = make_server(
        organization,
        address=endpoint.address,
        port=endpoint.port,
        user=endpoint.user,
        host_key=endpoint.host_key,
    )
    row.ssh_key.private_key = peer.pair.private_text
    row.ssh_key.save()
    return row


def _line(microsecond: int, text: str) -> bytes:
    seconds, rest = divmod(microsecond, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{rest:06}000Z {text}\n".encode()


def _frame(content: bytes) -> bytes:
    return struct.pack(">BxxxL", 1, len(content)) + content


def _send(channel: paramiko.Channel, status: int, body: bytes) -> None:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    channel.sendall(head.encode() + body)
