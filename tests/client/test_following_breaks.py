"""How long the client waits for a platform that is gone: counted from the first failure."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from oec import follow
from oec.connection import Connection, Unreachable
from oec.settings import Settings

EVENT = b'id: 1.1\nevent: task\ndata: {"status": "running"}\n\n'
END = b'id: 1.2\nevent: end\ndata: {"status": "completed"}\n\n'


class Platform(http.server.BaseHTTPRequestHandler):
    """Answers with what is next in `answers`: an event's bytes, or a status."""

    answers: list[bytes | int]

    def do_GET(self) -> None:
        answer = self.answers.pop(0) if self.answers else 503
        self.send_response(answer if isinstance(answer, int) else 200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        if isinstance(answer, bytes):
            self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def connection() -> Iterator[Connection]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Connection(Settings(f"http://127.0.0.1:{server.server_port}", "key"))
    server.shutdown()
    server.server_close()


class Clock:
    """A clock that stands still: it jumps by what each sleep says, and by what a test adds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(follow, "time", made)
    return made


def test_a_long_silence_before_the_first_failure_does_not_count(connection: Connection, clock: Clock) -> None:
    Platform.answers = [EVENT, 503, END]
    names = []
    for event in follow.events_of(connection, "x"):
        names.append(event.name)
        clock.now += 3600  # an hour passes before the connection breaks
    assert names == ["task", "end"]


def test_it_gives_up_after_failing_for_so_long(connection: Connection, clock: Clock) -> None:
    Platform.answers = []
    began = clock.now
    with pytest.raises(Unreachable):
        list(follow.events_of(connection, "x"))
    assert follow.LONGEST_BREAK < clock.now - began < follow.LONGEST_BREAK + 3


def test_an_answer_in_between_begins_the_count_anew(connection: Connection, clock: Clock) -> None:
    Platform.answers = [503] * 100 + [EVENT] + [503] * 100 + [END]
    assert [event.name for event in follow.events_of(connection, "x")] == ["task", "end"]
