"""Healthy means, through the proxy and with the right Host: HTTP answers, the database answers, and where workers run
the websocket opens.

`/web/health` exists from Odoo 15 on; whether it knows `db_server_status` depends on the build, so its answer tells.
It says nothing about the environment's own modules, so the sign-in page is asked for as well.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass

from django.conf import settings

from apps.core.exceptions import Problem
from apps.deployments.context import DeployContext
from apps.domains.probing import ProbeResult, probe, probe_websocket
from apps.environments.runtime_containers import find_container, last_lines
from apps.environments.runtime_database import run_sql
from apps.operations.exceptions import Interruption

SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_BETWEEN_INSPECTIONS = 1.0
FIRST_WITH_HEALTH_ROUTE = 15
FIRST_WITH_WEBSOCKET = 16
SIGN_IN_PATH = "/web/login"
MOST_RESTARTS = 3


@dataclass(frozen=True)
class Odoo:
    """What is asked: the container behind the route, and how."""

    container: str
    is_tls: bool


def wait_until_healthy(context: DeployContext, container: str) -> list[str]:
    """Asks until everything answers, side by side; what was seen, one sentence each.

    Raises Problem `deployments.not_healthy`, `deployments.odoo_ended`, `deployments.websocket_refused`; Odoo's last
    lines are in the log then.
    """
    route = getattr(context.environment, "route", None)
    odoo = Odoo(container, bool(route and route.specification.get("tls")))
    deadline = time.monotonic() + min(settings.ODOO_HEALTH_SECONDS, context.run.remaining() - 5)
    begin_database_question(context)
    if _has_websocket(context):
        context.begin_early("websocket", lambda: _wait_for_websocket(context, odoo, deadline))
    try:
        seen = [_wait_for_http(context, odoo, deadline), _ask_sign_in(context, odoo, deadline)]
        seen.append(context.wait_for("select_one", lambda: _ask_database(context)))
        if _has_websocket(context):
            seen.append(context.wait_for("websocket", lambda: _wait_for_websocket(context, odoo, deadline)))
    except (Problem, Interruption):
        with contextlib.suppress(Problem):
            show_last_lines(context, container)
        raise
    return seen


def begin_database_question(context: DeployContext) -> None:
    """Asks the database beside the waiting for HTTP."""
    context.begin_early("select_one", lambda: _ask_database(context))


def show_last_lines(context: DeployContext, container: str) -> None:
    """Odoo's own last words, into the log of the step."""
    lines = last_lines(context.host, container)
    if lines:
        context.run.error("Odoo's last lines:")
        context.run.info("\n".join(lines))


def ensure_alive(context: DeployContext, container: str) -> None:
    """Raises Problem `deployments.odoo_ended` for a container that ended or ends again and again."""
    found = find_container(context.host, container)
    state = found["State"] if found else {"Status": "missing", "ExitCode": 0}
    is_looping = bool(found) and found["RestartCount"] >= MOST_RESTARTS
    if is_looping or state["Status"] in ("missing", "exited", "dead"):
        reason = "It ran out of memory: allocate more." if state.get("OOMKilled") else ""
        raise Problem("deployments.odoo_ended", exit_code=state["ExitCode"], reason=reason)


def _wait_for_http(context: DeployContext, odoo: Odoo, deadline: float) -> str:
    path = health_path(context.environment.project.odoo_version)
    started = looked = time.monotonic()
    while True:
        result = _probe(context, odoo, path)
        if _is_healthy(result):
            knows = "db_server_status" in result.text
            said = " and reaches its database server" if knows else ""
            return f"{path} answered {result.status}{said} after {time.monotonic() - started:.1f} s."
        now = time.monotonic()
        if now > deadline:
            seconds = round(now - started)
            raise Problem("deployments.not_healthy", seconds=seconds, words=f"{path}: {result}", reason="")
        if now - looked > SECONDS_BETWEEN_INSPECTIONS:
            ensure_alive(context, odoo.container)
            looked = now
        context.run.sleep(SECONDS_BETWEEN_LOOKS)


def _ask_sign_in(context: DeployContext, odoo: Odoo, deadline: float) -> str:
    """A page that needs the environment's own modules. It may take its time the first time it is asked for."""
    timeout = max(5.0, deadline - time.monotonic())
    result = _probe(context, odoo, SIGN_IN_PATH, timeout=timeout)
    if result.status is None or result.status >= 400:
        reason = "A module breaks the pages, although Odoo itself runs." if result.status else ""
        words = f"{SIGN_IN_PATH}: {result}"
        raise Problem("deployments.not_healthy", seconds=round(timeout), words=words, reason=reason)
    return f"{SIGN_IN_PATH} answered {result.status} in {result.seconds:.1f} s."


def _wait_for_websocket(context: DeployContext, odoo: Odoo, deadline: float) -> str:
    """A process of its own, which is ready a little before the others or after them."""
    environment = context.environment
    while True:
        result = probe_websocket(environment.server, environment.host_name, tls=odoo.is_tls)
        if result.status == 101:
            return "The websocket opened."
        if time.monotonic() > deadline:
            raise Problem("deployments.websocket_refused", words=str(result))
        ensure_alive(context, odoo.container)
        if context.stopped.wait(SECONDS_BETWEEN_LOOKS):
            return ""


def health_path(odoo_version: str) -> str:
    """The cheapest page that tells whether Odoo serves."""
    major = int(odoo_version.partition(".")[0])
    return "/web/health?db_server_status=1" if major >= FIRST_WITH_HEALTH_ROUTE else SIGN_IN_PATH


def _is_healthy(result: ProbeResult) -> bool:
    if result.status not in (200, 303):
        return False
    if not result.headers.get("content-type", "").startswith("application/json"):
        return True
    with contextlib.suppress(ValueError):
        return json.loads(result.text).get("status") == "pass"
    return False


def _has_websocket(context: DeployContext) -> bool:
    major = int(context.environment.project.odoo_version.partition(".")[0])
    return major >= FIRST_WITH_WEBSOCKET and context.environment.workers > 0


def _probe(context: DeployContext, odoo: Odoo, path: str, *, timeout: float = 5.0) -> ProbeResult:
    environment = context.environment
    return probe(environment.server, environment.host_name, path, tls=odoo.is_tls, timeout=timeout)


def _ask_database(context: DeployContext) -> str:
    specification = context.base_specification
    run_sql(context.host, specification, "SELECT 1;", database=specification.database_name, ready_seconds=30)
    return "The database answered."
