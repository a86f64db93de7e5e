"""How often a key may ask, and a person with all their keys: counted in Redis, in atomic steps, over a moving minute.

Without Redis every web process counts by itself: requests go on (a limit protects, it decides no rights), and are
still limited.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, replace

from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from rest_framework.exceptions import Throttled

logger = logging.getLogger(__name__)
WINDOW = 60  # seconds
_PAUSE_AFTER_FAILURE = 3.0


@dataclass(frozen=True)
class Allowance:
    """How one kind of requests of one key (of all keys of one person) stands after a request."""

    limit: int
    remaining: int
    retry_after: int = 0  # seconds; 0: the request may go on
    holder: str = "This key"

    @property
    def headers(self) -> dict[str, str]:
        """What the answer tells about it."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Window": str(WINDOW),
        }


class RateLimitExceeded(Throttled):
    """Too many requests; `allowance` says of which limit."""

    default_code = "rate_limit_exceeded"

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(wait=allowance.retry_after)
        self.allowance = allowance
        self.detail = (
            f"{allowance.holder} may send {allowance.limit} such requests a minute. Wait {allowance.retry_after} s."
        )


class _Counter:
    """Redis, and this process's memory while Redis is away."""

    def __init__(self) -> None:
        self._shared: MovingWindowRateLimiter | None = None
        self._alone = MovingWindowRateLimiter(MemoryStorage())
        self._alone_until = 0.0

    def take(self, kind: str, identifier: str, limit: int) -> Allowance:
        if time.monotonic() >= self._alone_until:
            try:
                return self._take(self._redis(), kind, identifier, limit)
            except StorageError as error:
                self._alone_until = time.monotonic() + _PAUSE_AFTER_FAILURE
                logger.warning("Requests are counted without Redis: %r", error)
        return self._take(self._alone, kind, identifier, limit)

    def _redis(self) -> MovingWindowRateLimiter:
        if self._shared is None:
            storage = RedisStorage(
                settings.REDIS_URL,
                key_prefix="oecsh:limits",
                wrap_exceptions=True,
                socket_connect_timeout=1,
                socket_timeout=1,
            )
            self._shared = MovingWindowRateLimiter(storage)
        return self._shared

    @staticmethod
    def _take(limiter: MovingWindowRateLimiter, kind: str, identifier: str, limit: int) -> Allowance:
        item = RateLimitItemPerMinute(limit)
        passed = limiter.hit(item, kind, identifier)
        reset_at, remaining = limiter.get_window_stats(item, kind, identifier)
        if passed:
            return Allowance(limit, max(0, remaining))
        return Allowance(limit, 0, max(1, math.ceil(reset_at - time.time())))


_counter = _Counter()


def take(key_id: object, person_id: object, *, is_write: bool) -> Allowance:
    """Counts a request of a person's key, for the key and for the person. Reads and writes are counted apart. Raises
    RateLimitExceeded."""
    kind, limit = ("write", settings.API_WRITES_PER_MINUTE) if is_write else ("read", settings.API_READS_PER_MINUTE)
    return _take(kind, limit, key_id, person_id)


def take_webhook_change(key_id: object, person_id: object) -> Allowance:
    """Counts a change of a webhook, besides the write that it is. Raises RateLimitExceeded."""
    return _take("webhook", settings.API_WEBHOOK_WRITES_PER_MINUTE, key_id, person_id)


def _take(kind: str, limit: int, key_id: object, person_id: object) -> Allowance:
    """How the key stands. What the key's own limit refuses is not counted for the person."""
    allowance = _passed(_counter.take(kind, str(key_id), limit))
    together = _counter.take(f"person-{kind}", str(person_id), limit * settings.API_KEYS_WORTH_PER_PERSON)
    _passed(replace(together, holder="All keys of this person together"))
    return allowance


def _passed(allowance: Allowance) -> Allowance:
    if allowance.retry_after:
        raise RateLimitExceeded(allowance)
    return allowance
