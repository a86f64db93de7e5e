"""How often somebody may try codes that do not exist. Counted in Redis, where counting is one step: many tries at the
same moment are counted like many after each other."""

from __future__ import annotations

from django.core.cache import cache

from apps.accounts.models import User
from apps.core.exceptions import Problem

PER_PERSON = 10
PER_ADDRESS = 30
WINDOW_SECONDS = 3600


def ensure_may_try(user: User, address: str) -> None:
    """Counts a try, and refuses one too many. `take_back` it when the code was right.

    Raises Problem `orgs.too_many_guesses` after 10 wrong codes of one person, or 30 from one address, in an hour.
    """
    counts = [(_count(key), limit) for key, limit in _limits(user, address)]
    if any(count > limit for count, limit in counts):
        raise Problem("orgs.too_many_guesses")


def take_back(user: User, address: str) -> None:
    """The code was right: it was no guess."""
    for key, _limit in _limits(user, address):
        cache.decr(key)


def _limits(user: User, address: str) -> list[tuple[str, int]]:
    return [(f"orgs.guess:{user.pk}", PER_PERSON), (f"orgs.guess:{address}", PER_ADDRESS)]


def _count(key: str) -> int:
    cache.add(key, 0, WINDOW_SECONDS)
    return cache.incr(key)
