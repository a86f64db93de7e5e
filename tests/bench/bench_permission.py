"""How long the one question takes."""

from __future__ import annotations

import time

from apps.accounts.models import User
from tests.bench.databases import fresh_database
from tests.bench.measurement import Measurement, benchmark, runs
from tests.cast import make_cast

QUESTIONS = 2000
CODE = "project.environments.deploy"


@benchmark
def permission() -> list[Measurement]:
    """Asked again about the same organization, and for the first time in a request."""
    kept = Measurement("permission", "µs", "≤ 50 µs when cached")
    first = Measurement("permission_uncached", "µs", "≤ 5,000 µs")
    with fresh_database():
        cast = make_cast()
        for _ in range(runs()):
            cast.bob.has_perm(CODE, cast.acme)
            started = time.perf_counter()
            for _ in range(QUESTIONS):
                cast.bob.has_perm(CODE, cast.acme)
            kept.ours.append((time.perf_counter() - started) / QUESTIONS * 1e6)
            people = [User.objects.get(pk=cast.bob.pk) for _ in range(50)]
            started = time.perf_counter()
            for person in people:
                person.has_perm(CODE, cast.acme)
            first.ours.append((time.perf_counter() - started) / len(people) * 1e6)
    return [kept, first]
