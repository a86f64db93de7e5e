"""Odoo's own log lines: their level, and what of them tells why something failed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from apps.operations.models import Level

# 2026-11-21 23:20:31,124 1 INFO my-database odoo.modules.loading: loading 1 modules...
LINE = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ (?P<level>DEBUG|INFO|RUNBOT|WARNING|ERROR|CRITICAL) (?P<database>\S+) "
    r"(?P<logger>[\w.]+): (?P<text>.*)$"
)
_LEVELS = {"DEBUG": Level.DEBUG, "WARNING": Level.WARNING, "ERROR": Level.ERROR, "CRITICAL": Level.ERROR}
# An ERROR of these means that a module is not as it should be, whatever the exit code says.
_FATAL_LOGGERS = ("odoo.modules.loading", "odoo.modules.graph", "odoo.modules.module_graph", "odoo.modules.registry")
# As PostgreSQL and Python both say it (strerror of ENOSPC).
NO_SPACE = "No space left on device"
# In lines: what an exception says may go on for pages.
LONGEST_REASON = 6
_LAST_WORDS = re.compile(r"^(?:[\w.]+(?:Error|Exception|Warning|Invalid|NotFound)\b.*|[\w.]+\.\w*Error: .*)$")


class LevelReader:
    """Gives each line its level; lines that continue one (a traceback) have the level of where they began."""

    def __init__(self) -> None:
        self._last = Level.INFO

    def __call__(self, text: str) -> str:
        match = LINE.match(text)
        if match:
            self._last = _LEVELS.get(match["level"], Level.INFO)
        elif text.startswith("Traceback (most recent call last)"):
            self._last = Level.ERROR
        return self._last


def is_fatal(text: str) -> bool:
    """True for a line that tells of a failure even where Odoo goes on."""
    match = LINE.match(text)
    if match is None:
        return False
    return match["level"] == "CRITICAL" or (match["level"] == "ERROR" and match["logger"].startswith(_FATAL_LOGGERS))


def reason(lines: Iterable[str]) -> str:
    """The sentence that says it best: the exception at the end of the last traceback with the lines that belong to
    it, else the last error."""
    exception: list[str] = []
    error, is_open = "", False
    for text in lines:
        match = LINE.match(text)
        if match or not text.strip():
            is_open = is_open and not match and len(exception) < LONGEST_REASON
            error = match["text"] if match and match["level"] in ("ERROR", "CRITICAL") else error
        elif _LAST_WORDS.match(text):
            exception, is_open = [text.strip()], True
        elif is_open and len(exception) < LONGEST_REASON:
            exception.append(text.strip())
    found = " ".join(exception) or error
    return found if not found or found.endswith((".", "!", "?")) else f"{found}."
