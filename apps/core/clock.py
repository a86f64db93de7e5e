"""The only source of time, so that tests can set it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

_frozen: list[datetime] = []


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _frozen[-1] if _frozen else timezone.now()


@contextlib.contextmanager
def freeze(moment: datetime) -> Iterator[None]:
    """Holds the clock at `moment` in this process (for tests)."""
    _frozen.append(moment)
    try:
        yield
    finally:
        _frozen.pop()


def advance(by: timedelta) -> None:
    """Moves a frozen clock forward."""
    _frozen[-1] += by
