"""How long the server takes for the lists and details of the public API once there are many rows."""

from __future__ import annotations

import gc
import statistics
import time

from apps.api.base import PREFIX
from apps.environments.models import Environment
from apps.operations.models import Operation
from apps.projects.models import Project
from apps.servers.models import Server
from tests.api.conftest import Program, make_program
from tests.bench import rows
from tests.bench.databases import fresh_database
from tests.bench.demo import progress
from tests.bench.measurement import Measurement, benchmark, percentile, runs
from tests.browser.scene import Scene, build_scene

REQUESTS = 15
LISTS = (
    "organizations",
    "members",
    "teams",
    "servers",
    "projects",
    "environments",
    "tasks",
    "audit",
    "api-keys",
    "webhooks",
    "quotas",
)


@benchmark
def api() -> list[Measurement]:
    """Lists of 100 rows and one of each thing, as a program of the owner of the largest organization. A run is the
    95th percentile of the slowest address; all addresses are printed."""
    slowest = Measurement("api", "ms (p95 of the slowest)", "≤ 150 ms")
    with fresh_database():
        scene = build_scene()
        rows.fill(scene)
        gc.collect()
        gc.freeze()
        addresses = _addresses(scene)
        taken: dict[str, list[float]] = {path: [] for path in addresses}
        for _ in range(runs()):
            highest = 0.0
            for path in addresses:
                # A program of its own for each address: the limits of a key are not what is measured.
                program = make_program(scene.cast.acme, scene.cast.alice)
                times = [_milliseconds(program, path) for _ in range(REQUESTS + 1)][1:]
                taken[path] += times
                highest = max(highest, percentile(times, 95))
            slowest.ours.append(highest)
            progress(f"p95 of the slowest address {highest:.0f} ms")
    for path in sorted(taken, key=lambda one: -percentile(taken[one], 95)):
        print(f"   {path:<64}{statistics.median(taken[path]):>8.1f}{percentile(taken[path], 95):>8.1f}")
    return [slowest]


def _addresses(scene: Scene) -> list[str]:
    """Below the API's prefix."""
    acme = scene.cast.acme
    things = {
        "servers": Server.objects.filter(organization=acme).first(),
        "projects": Project.objects.filter(organization=acme).first(),
        "environments": Environment.objects.existing().filter(project__organization=acme).first(),
        "tasks": Operation.objects.filter(organization=acme, kind="environment.deploy").order_by("-created_at").first(),
    }
    details = [f"/{name}/{thing.pk}" for name, thing in things.items() if thing]
    lists = [f"/{name}?limit=100" for name in LISTS] + ["/environments?limit=100&offset=900"]
    return ["/me", *lists, *details, f"/tasks/{things['tasks'].pk}/logs"]


def _milliseconds(program: Program, path: str) -> float:
    started = time.perf_counter()
    answer = program.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{PREFIX}{path} answered {answer.status_code}: {answer.content[:200]!r}")
    return (time.perf_counter() - started) * 1000
