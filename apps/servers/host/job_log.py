"""Reading a container's log so that another worker can go on where this one stopped, without losing a line or taking
one twice.

Docker can answer "what was written since T". Many lines share one instant, and the two output streams are written side
by side, so that times may go back a little. The position is therefore a second that is safely past, and the number of
messages since then which were taken already, in the order of the log: asked the same question again, Docker gives the
same messages in the same order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apps.core.exceptions import Problem

# What is kept of one line, in bytes; the run's log keeps less.
LONGEST_LINE = 64 * 1024
# Seconds of a log of which no line could be told yet; an honest engine's times move on with its lines.
_MOST_SECONDS = 100_000
# How far times go back at most where the two streams are written side by side, in seconds.
_SLACK = 2


@dataclass
class LogReader:
    """Turns messages (`time text`, as Docker sends them) into lines, each with the position after it."""

    since: int = 0
    taken: int = 0
    _per_second: Counter[int] = field(default_factory=Counter)

    @classmethod
    def at(cls, position: Any) -> LogReader:
        """The reader that goes on after a stored position; None is the beginning."""
        return cls(*position) if position else cls()

    def lines(self, messages: Iterable[bytes]) -> Iterator[tuple[list[int], str]]:
        """The lines that are new, as (position after the line, text). `messages` is Docker's answer to "since
        `self.since`", one item per message: a long line comes in several, only the last of which ends it. Of a line
        beyond LONGEST_LINE the rest is dropped. Raises Problem `servers.docker_unreadable`."""
        skip, self._per_second, whole, number = self.taken, Counter(), b"", 0
        for number, message in enumerate(messages, start=1):
            moment, _, content = message.partition(b" ")
            self._per_second[_second(moment)] += 1
            if len(self._per_second) > _MOST_SECONDS:
                raise Problem("servers.docker_unreadable")
            whole += content[: LONGEST_LINE - len(whole)]
            if not content.endswith(b"\n"):
                continue
            if number > skip:
                yield self._position(), whole.rstrip(b"\r\n").decode(errors="replace")
            whole = b""
        if whole and number > skip:
            # The program ended in the middle of a line.
            yield self._position(), whole.decode(errors="replace")

    def _position(self) -> list[int]:
        """Moves on to the newest second but the slack, so that the next question asks for little."""
        self.since = max(self.since, max(self._per_second) - _SLACK)
        for second in [second for second in self._per_second if second < self.since]:
            del self._per_second[second]
        self.taken = self._per_second.total()
        return [self.since, self.taken]


def _second(moment: bytes) -> int:
    """`2026-01-31T12:00:00.123456789Z` as seconds since 1970."""
    return int(datetime.strptime(moment[:19].decode(), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp())
