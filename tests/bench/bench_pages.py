"""How long the server takes for each page of the portal once there are many rows, and how many queries that needs."""

from __future__ import annotations

import gc
import statistics
import time

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.bench import rows
from tests.bench.databases import fresh_database
from tests.bench.demo import progress
from tests.bench.measurement import Measurement, benchmark, percentile, runs
from tests.browser.scene import Scene, build_scene
from tests.routes import GET, TABLE
from tests.test_every_route import LEADS_ON, REACHES_OUT, address_of

REQUESTS = 15
# They lead on, or are files.
NO_PAGES = {
    "portal:home",
    "operations:download",
    "accounts:avatar",
    "accounts:second_factor",
    "notifications:notice_open",
}
LIMIT_MILLISECONDS = 150


@benchmark
def pages() -> list[Measurement]:
    """Every page that members can open, as the owner of the largest organization, and two pages of somebody who sees
    all organizations. A run is the 95th percentile of the slowest page; all pages are printed."""
    slowest = Measurement("pages", "ms (p95 of the slowest)", "≤ 150 ms")
    all_of_them = Measurement("pages_all", "ms (p95 of all)", "≤ 150 ms")
    with fresh_database():
        scene = build_scene()
        addresses = _addresses(scene)
        clients = {"owner": _client(scene.cast.alice), "staff": _client(scene.cast.sam)}
        few = {key: _queries(clients[key[0]], path) for key, path in addresses.items()}
        started = time.monotonic()
        rows.fill(scene)
        counted = ", ".join(f"{count:,} {name}" for name, count in rows.counts().items())
        progress(f"{counted} after {time.monotonic() - started:.0f} s")
        many = {key: _queries(clients[key[0]], path) for key, path in addresses.items()}
        # What made the rows is no part of a web process, whose garbage collector would go through it again and again.
        gc.collect()
        gc.freeze()
        taken: dict[tuple[str, str], list[list[float]]] = {key: [] for key in addresses}
        for _ in range(runs()):
            for key, path in addresses.items():
                taken[key].append([_milliseconds(clients[key[0]], path) for _ in range(REQUESTS)])
            slowest.ours.append(max(percentile(times[-1], 95) for times in taken.values()))
            all_of_them.ours.append(percentile([one for times in taken.values() for one in times[-1]], 95))
            progress(f"p95 of the slowest page {slowest.ours[-1]:.0f} ms, of all pages {all_of_them.ours[-1]:.0f} ms")
    _print_pages(taken, few, many)
    return [slowest, all_of_them]


def _addresses(scene: Scene) -> dict[tuple[str, str], str]:
    """By who looks and the route's name."""
    names = [name for name, method, _ in TABLE if method == GET and name not in REACHES_OUT | LEADS_ON | NO_PAGES]
    found = {("owner", name): address_of(name, scene) for name in names}
    for name, question in (("portal:search", "?q=environment"), ("deployments:list", "?page=9")):
        found[("owner", f"{name} {question}")] = address_of(name, scene) + question
    for name in ("portal:organization", "portal:activity"):
        found[("staff", name)] = address_of(name, scene)
    return found


def _client(person) -> Client:
    client = Client()
    client.force_login(person, backend="apps.accounts.backends.PersonBackend")
    return client


def _queries(client: Client, path: str) -> int:
    """How many queries the page needs, once its templates and the permissions are cached. Raises RuntimeError when it
    does not answer as it should."""
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}.")
    return len(captured)


def _milliseconds(client: Client, path: str) -> float:
    started = time.perf_counter()
    client.get(path)
    return (time.perf_counter() - started) * 1000


def _print_pages(
    taken: dict[tuple[str, str], list[list[float]]],
    few: dict[tuple[str, str], int],
    many: dict[tuple[str, str], int],
) -> None:
    """One line for each page, the slowest first."""
    pooled = {key: [one for times in runs_of_page for one in times] for key, runs_of_page in taken.items()}
    ordered = sorted(pooled, key=lambda key: -percentile(pooled[key], 95))
    print(f"   {'page':<42}{'p50':>8}{'p95':>8}  queries (few rows → many)")
    for key in ordered:
        name = f"{key[1]} ({key[0]})" if key[0] != "owner" else key[1]
        middle, high = statistics.median(pooled[key]), percentile(pooled[key], 95)
        mark = "  over the goal" if high > LIMIT_MILLISECONDS else ""
        mark += "  more rows, more queries" if many[key] > few[key] else ""
        print(f"   {name:<42}{middle:>8.1f}{high:>8.1f}  {few[key]} → {many[key]}{mark}")
