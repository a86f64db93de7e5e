"""From the moment at which a line is written until a browser has it, through the running control plane of the demo."""

from __future__ import annotations

import random
import re
import time
from datetime import UTC, datetime

from apps.deployments.services import deploy
from apps.domains.probing import probe
from apps.environments.models import Environment
from tests.bench.browser import Browser, SeenLine
from tests.bench.demo import Demo, completed, on_demo, progress
from tests.bench.measurement import Measurement, benchmark, percentile, runs

GOAL = "p95 ≤ 300 ms"
LINES = 40
PAUSE_SECONDS = (0.03, 0.25)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}) ")


@benchmark
@on_demo
def log_latency() -> list[Measurement]:
    """Each run is the 95th percentile of one round: of the lines that a running Odoo writes about requests, and of
    the lines that the steps of a deployment write."""
    from_odoo = Measurement("log_latency", "ms (p95)", GOAL)
    from_steps = Measurement("log_latency_steps", "ms (p95)", GOAL)
    demo = Demo()
    browser = Browser(demo.portal_url, demo.email, demo.password)
    with demo.project(with_repository=True) as project, demo.environment(project) as environment:
        for _ in range(runs()):
            from_steps.ours.append(percentile(_of_a_deployment(demo, browser, environment), 95))
            progress(f"a step's line {from_steps.ours[-1]:.0f} ms")
        for _ in range(runs()):
            from_odoo.ours.append(percentile(_of_requests(browser, environment), 95))
            progress(f"a line of Odoo's {from_odoo.ours[-1]:.0f} ms")
    return [from_odoo, from_steps]


def _of_a_deployment(demo: Demo, browser: Browser, environment: Environment) -> list[float]:
    """Milliseconds of every line of a deployment: the first one, and then further ones of the same environment."""
    environment.refresh_from_db()
    operation = deploy(environment=environment, user=demo.user).operation
    pages = f"/operations/{operation.pk}"
    with browser.following(f"/ws{pages}/", f"{pages}/lines/", f"{pages}/steps/") as page:
        opened = time.time()
        completed(operation)
        page.wait_for(operation.lines.order_by("-sequence").values_list("text", flat=True)[0])
        return [(line.seen_at - line.written_at) * 1000 for line in page.seen if line.written_at > opened]


def _of_requests(browser: Browser, environment: Environment) -> list[float]:
    """Milliseconds of the lines that Odoo writes about requests, by the moment that stands in the line."""
    route = environment.route.specification
    pages = f"/o/{environment.project.organization.slug}/p/{environment.project.slug}/{environment.slug}/logs/lines/"
    with browser.following(f"/ws/environments/{environment.pk}/log/", pages) as page:
        time.sleep(2)  # the first one who looks makes the portal connect to the server
        marks = [f"/web/health?bench={time.time_ns()}" for _ in range(LINES)]
        for mark in marks:
            probe(environment.server, environment.host_name, mark, tls=bool(route.get("tls")))
            time.sleep(random.uniform(*PAUSE_SECONDS))
        page.wait_for(marks[-1])
        return [_milliseconds(line) for line in page.seen if any(mark in line.text for mark in marks)]


def _milliseconds(line: SeenLine) -> float:
    """Odoo's clock is UTC in its containers."""
    found = _MOMENT.match(line.text)
    if found is None:
        raise RuntimeError(f"Odoo wrote a line without a time: {line.text}")
    written = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp() + int(found[2]) / 1000
    return (line.seen_at - written) * 1000
