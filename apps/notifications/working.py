"""The work, until there is none or the time is over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from celery.exceptions import SoftTimeLimitExceeded

from apps.notifications.bell import ring
from apps.notifications.delivering import deliver_next
from apps.notifications.dispatching import dispatch_next
from apps.notifications.mailing import mail_next

logger = logging.getLogger(__name__)
LONGEST_SECONDS = 30


def work_through(seconds: float = LONGEST_SECONDS) -> int:
    """Dispatches and sends what is due; returns how many things it did. What is left when the time is over is for the
    bell that it rings. A kind of work that breaks is logged and left for the next bell; the others go on."""
    deadline, done = time.monotonic() + seconds, 0
    kinds: list[Callable[[], bool]] = [dispatch_next, deliver_next, mail_next]
    while True:
        did = sum([_do(kind, kinds) for kind in list(kinds)])
        done += did
        if not did:
            return done
        if time.monotonic() > deadline:
            ring()
            return done


def _do(kind: Callable[[], bool], kinds: list[Callable[[], bool]]) -> bool:
    try:
        return kind()
    except SoftTimeLimitExceeded:
        raise
    except Exception:
        logger.exception("%s broke.", kind.__name__)
        kinds.remove(kind)
        return False
