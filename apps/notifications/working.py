"""The work, until there is none or the time is over."""

from __future__ import annotations

import logging
import time

from apps.notifications.bell import ring
from apps.notifications.delivering import deliver_next
from apps.notifications.dispatching import dispatch_next
from apps.notifications.mailing import mail_next

logger = logging.getLogger(__name__)
LONGEST_SECONDS = 30


def work_through(seconds: float = LONGEST_SECONDS) -> int:
    """Dispatches and sends what is due; returns how many things it did. What is left when the time is over is for the
    bell that it rings."""
    deadline, done = time.monotonic() + seconds, 0
    while True:
        did = sum([dispatch_next(), deliver_next(), mail_next()])
        done += did
        if not did:
            return done
        if time.monotonic() > deadline:
            ring()
            return done
