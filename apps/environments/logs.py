"""The log of a running environment's Odoo, read through the host door.

A line's number is the microsecond at which Docker took it, one more than the line's before where they share it: asked
again, the same line has the same number, so that a page can go on after the last one it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import docker.errors
import urllib3.exceptions

from apps.core.exceptions import Problem
from apps.core.masking import Masker
from apps.environments.container_log import LARGEST_LOG, read_log
from apps.environments.log_watch import borrow_host
from apps.environments.models import Environment
from apps.servers.host import Host

MOST_LINES = 1000
FIRST_LINES = 3000
LONGEST_LINE = 16_000
LONGEST_SEARCH = 200
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
# Lines that share a microsecond with others before `after` are counted anew from a little earlier; from just before
# where so much was written meanwhile that a read ends within that.
_OVERLAPS = (2_000_000, 1000)
_ODOO_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) ")


@dataclass(frozen=True, slots=True)
class OdooLine:
    """One line, masked."""

    sequence: int
    level: str
    text: str

    @property
    def time(self) -> datetime:
        """When Docker took it."""
        return datetime.fromtimestamp(self.sequence / 1_000_000, UTC)


class ReadLines(NamedTuple):
    """Lines as they were read; `is_whole` where there were no others behind them."""

    lines: list[OdooLine]
    is_whole: bool


@dataclass(frozen=True)
class LogPage:
    """Some lines, and where to go on: ask with `after` of `last`. `more`: there are others already."""

    lines: list[OdooLine]
    last: int
    more: bool


def masker_for(environment: Environment) -> Masker:
    """Masks what the environment keeps secret, whatever Odoo writes."""
    sensitive = environment.variables.filter(sensitive=True)
    passwords = [environment.database_password, environment.master_password, environment.admin_password]
    return Masker([*passwords, *(variable.value for variable in sensitive)])


def read_lines(
    host: Host,
    container: str,
    *,
    masker: Masker,
    after: int = 0,
    tail: int = FIRST_LINES,
    largest: int = LARGEST_LOG,
) -> ReadLines:
    """The lines after number `after`; with 0 the last `tail` ones; of about `largest` bytes of the log. Raises Problem
    `environments.no_log` where there is no container."""
    choices: list[dict[str, object]] = [{"tail": tail}]
    if after:
        choices = [{"since": _since(after - overlap)} for overlap in _OVERLAPS]
    found = ReadLines([], is_whole=True)
    for limits in choices:
        try:
            raw = read_log(host, container, largest=largest, **limits)
        except docker.errors.NotFound as error:
            raise Problem("environments.no_log") from error
        lines = [line for line in parse(raw.content.splitlines(), masker) if line.sequence > after]
        found = ReadLines(lines, raw.is_whole)
        if lines or raw.is_whole:
            break
    return found


def parse(messages: Iterable[bytes], masker: Masker) -> Iterator[OdooLine]:
    """Numbers, masks, and gives each line its level; a traceback belongs to the line before it."""
    last, level = 0, "INFO"
    for message in messages:
        moment, _, content = message.partition(b" ")
        microsecond = _microsecond(moment)
        if microsecond is None:
            # The rest of a line that Docker has cut in two.
            microsecond, content = last, message
        last = max(last + 1, microsecond)
        text = masker.mask(content.decode(errors="replace")[:LONGEST_LINE])
        found = _ODOO_LINE.match(text)
        if found:
            level = "ERROR" if found[1] == "CRITICAL" else found[1]
        yield OdooLine(last, level, text)


def read_newest(
    environment: Environment, *, after: int = 0, tail: int = FIRST_LINES, largest: int = LARGEST_LOG
) -> ReadLines:
    """As read_lines, from the environment's server. Raises Problem also for what stands against reading it."""
    if environment.server is None:
        raise Problem("environments.no_log")
    masker, container = masker_for(environment), environment.container_name("odoo")
    try:
        with borrow_host(environment) as host:
            return read_lines(host, container, masker=masker, after=after, tail=tail, largest=largest)
    except (docker.errors.DockerException, urllib3.exceptions.HTTPError, OSError) as error:
        raise Problem("environments.log_unreadable", reason=type(error).__name__) from error


def read_page(
    environment: Environment, *, after: int = 0, tail: int = FIRST_LINES, level: str = "", words: str = ""
) -> LogPage:
    """The lines after number `after`, at most MOST_LINES of them; with 0 the last `tail` ones (FIRST_LINES at most).
    Of these those of `level` and above that contain `words`. Raises as read_newest."""
    lines, is_whole = read_newest(environment, after=after, tail=min(tail, FIRST_LINES))
    is_long = bool(after) and len(lines) > MOST_LINES
    more = is_long or (bool(lines) and not is_whole)
    lines = lines[:MOST_LINES] if is_long else lines
    last = lines[-1].sequence if lines else after
    return LogPage(filtered(lines, level=level, words=words), last, more)


def filtered(lines: Iterable[OdooLine], *, level: str = "", words: str = "") -> list[OdooLine]:
    """Those of `level` and above that contain `words`, whatever the case."""
    wanted = LEVELS[LEVELS.index(level) :] if level in LEVELS else LEVELS
    words = words.lower()
    return [line for line in lines if line.level in wanted and words in line.text.lower()]


def _since(microsecond: int) -> str:
    """A moment as Docker takes it."""
    seconds, rest = divmod(max(microsecond, 1_000_000), 1_000_000)
    return f"{seconds}.{rest:06}"


def _microsecond(moment: bytes) -> int | None:
    """`2026-01-31T12:00:00.123456789Z` as microseconds since 1970; None when it is something else."""
    try:
        text = moment.decode("ascii")
        seconds = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
        return int(seconds) * 1_000_000 + int((text[20:].rstrip("Z") + "000000")[:6])
    except (ValueError, UnicodeDecodeError):
        return None
