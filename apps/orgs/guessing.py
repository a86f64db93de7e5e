"""How often somebody may try codes that do not exist. Counted in Redis, where counting is one step: many tries at the
same moment are counted like many after each other."""

from __future__ import annotations

import contextlib
import ipaddress

from django.core.cache import cache

from apps.accounts import verification
from apps.accounts.models import User
from apps.core.exceptions import Problem

PER_PERSON = 10
PER_ADDRESS = 30
# Of 191 million codes; whoever has ever so many accounts and addresses does not get further.
OF_ALL = 2000
# What one customer of a provider has of IPv6.
_IPV6_PREFIX = 64
_ALL = "orgs.guess:all"
WINDOW_SECONDS = 3600


def ensure_may_try(user: User, address: str) -> None:
    """Counts a try, and refuses one too many. `take_back` it when the code was right.

    Raises Problem `orgs.too_many_guesses` after 10 wrong codes of one person, 30 from one address (of IPv6: one /64),
    or 2,000 of all people together, in an hour; `orgs.address_not_confirmed` for an account that anybody could make.
    """
    if verification.is_waiting(user):
        raise Problem("orgs.address_not_confirmed")
    counts = [(_count(key), limit) for key, limit in _limits(user, address)]
    # What is refused already does not count for the others.
    if any(count > limit for count, limit in counts) or _count(_ALL) > OF_ALL:
        raise Problem("orgs.too_many_guesses")


def take_back(user: User, address: str) -> None:
    """The code was right: it was no guess."""
    for key in (*(key for key, _limit in _limits(user, address)), _ALL):
        with contextlib.suppress(ValueError):  # the hour is over, and the counter with it
            cache.decr(key)


def _limits(user: User, address: str) -> list[tuple[str, int]]:
    return [(f"orgs.guess:{user.pk}", PER_PERSON), (f"orgs.guess:{_network(address)}", PER_ADDRESS)]


def _network(address: str) -> str:
    """The address, or the network of an IPv6 one: its last half changes at will."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), _IPV6_PREFIX), strict=False))


def _count(key: str) -> int:
    cache.add(key, 0, WINDOW_SECONDS)
    return cache.incr(key)
