"""How long the one question takes."""

from __future__ import annotations

import time

from apps.accounts.models import User
from apps.orgs import rights_cache
from apps.projects.models import Project
from tests.bench.databases import fresh_database
from tests.bench.measurement import Measurement, benchmark, runs
from tests.cast import make_cast
from tests.factories import make_project

QUESTIONS = 2000
PEOPLE = 50
CODE = "project.environments.deploy"


@benchmark
def permission() -> list[Measurement]:
    """Asked again about the same project, for the first time in a request (Redis answers), and for the first time since
    a change of the person's rights (the database does)."""
    kept = Measurement("permission", "µs", "≤ 50 µs when cached")
    first = Measurement("permission_first", "µs", "of a request")
    uncached = Measurement("permission_uncached", "µs", "≤ 5,000 µs")
    with fresh_database():
        cast = make_cast()
        project = make_project(cast.acme)
        for _ in range(runs()):
            cast.bob.has_perm(CODE, project)
            started = time.perf_counter()
            for _ in range(QUESTIONS):
                cast.bob.has_perm(CODE, project)
            kept.ours.append((time.perf_counter() - started) / QUESTIONS * 1e6)
            first.ours.append(_ask_anew(cast.bob, project))
            uncached.ours.append(_ask_anew(cast.bob, project, drop=True))
    return [kept, first, uncached]


def _ask_anew(user: User, project: Project, *, drop: bool = False) -> float:
    """Microseconds that the first question of a request takes."""
    people = [User.objects.get(pk=user.pk) for _ in range(PEOPLE)]
    taken = 0.0
    for person in people:
        if drop:
            name = rights_cache.begin_change([user.pk], project.organization_id)
            rights_cache.end_change([user.pk], project.organization_id, name)
        started = time.perf_counter()
        person.has_perm(CODE, project)
        taken += time.perf_counter() - started
    return taken / PEOPLE * 1e6
