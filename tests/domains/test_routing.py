"""Routes on a real server: seen through its proxy, changed without losing a request, put back when broken."""

from __future__ import annotations

import http.client
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from apps.core.exceptions import Problem
from apps.domains import routing
from apps.domains.probing import probe, probe_websocket
from apps.domains.routes import RouteSpecification, RouteState, mark_of, render_route
from apps.operations.exceptions import Cancelled
from apps.servers.host import Host
from apps.servers.models import Server
from tests.domains.conftest import Recorder

if TYPE_CHECKING:
    from tests.lab.server import LabServer

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
NAME = "shop.apps.test"


def specification(upstream: str = "nowhere", **fields: object) -> RouteSpecification:
    values = {
        "environment_id": str(uuid.uuid4()),
        "host_names": (NAME,),
        "odoo_version": "19.0",
        "workers": 0,
        "upstream": upstream,
        "tls": False,
    } | fields
    return RouteSpecification(**values)


def test_a_route_leads_to_its_upstream(host: Host, server: Server, odoo: Callable[..., str]) -> None:
    route = specification(odoo("first"))
    applied = routing.apply_route(host, route, server=server)
    assert applied.changed
    assert applied.mark == mark_of(render_route(route))
    assert probe(server, NAME).text.strip() == "first"
    assert probe(server, NAME, tls=True).text.strip() == "first"
    assert probe(server, "other.apps.test").status == 404


def test_doing_it_again_changes_nothing(host: Host, server: Server, lab_server: LabServer) -> None:
    route = specification()
    routing.apply_route(host, route, server=server)
    folder = lab_server.path("/opt/oecsh/proxy/dynamic")
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert not routing.apply_route(host, route, server=server).changed
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_the_database_manager_is_not_there_from_outside(host: Host, server: Server, odoo: Callable[..., str]) -> None:
    routing.apply_route(host, specification(odoo()), server=server)
    for path in ("/web/database/manager", "/web/database/backup", "/web/%64atabase/manager", "//web//database/list"):
        assert probe(server, NAME, path).status == 404
        assert probe(server, NAME, path, tls=True).text.strip() == "Not Found"


def test_with_a_certificate_http_redirects_to_https(host: Host, server: Server, odoo: Callable[..., str]) -> None:
    routing.apply_route(host, specification(odoo("safe"), tls=True), server=server)
    answer = probe(server, NAME, "/web/login?x=1")
    assert answer.status == 301
    assert answer.headers["location"] == f"https://{NAME}/web/login?x=1"
    assert probe(server, NAME, tls=True).text.strip() == "safe"
    # Certificate authorities come by plain HTTP, and are not sent away.
    assert probe(server, NAME, "/.well-known/acme-challenge/none").status == 404


@pytest.mark.parametrize(
    ("state", "words"),
    [(RouteState.STOPPED, "Stopped"), (RouteState.PAUSED, "Paused"), (RouteState.MAINTENANCE, "Back in a moment")],
)
def test_a_closed_environment_shows_a_friendly_page(host: Host, server: Server, state: RouteState, words: str) -> None:
    routing.apply_route(host, specification(state=state), server=server)
    for tls in (False, True):
        answer = probe(server, NAME, "/web", tls=tls)
        assert answer.status == 503
        assert words in answer.text


def test_an_odoo_that_does_not_answer_shows_a_friendly_page(host: Host, server: Server) -> None:
    routing.apply_route(host, specification("127.0.0.1"), server=server)
    answer = probe(server, NAME, "/web")
    assert answer.status == 502
    assert "does not answer right now" in answer.text


def test_changing_the_route_loses_no_request(host: Host, server: Server, odoo: Callable[..., str]) -> None:
    first = specification(odoo("first"))
    routing.apply_route(host, first, server=server)
    second = replace(first, upstream=odoo("second"))
    seen: list[str] = []
    over = threading.Event()

    def visit() -> None:
        while not over.is_set():
            connection = http.client.HTTPConnection(server.address, server.http_port, timeout=10)
            try:
                connection.request("GET", "/", headers={"Host": NAME})
                answer = connection.getresponse()
                seen.append(f"{answer.status} {answer.read().decode().strip()}")
            except OSError as error:
                seen.append(str(error))
            finally:
                connection.close()

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for route in (second, first, second):
        routing.apply_route(host, route, server=server)
    over.set()
    for visitor in visitors:
        visitor.join()
    assert set(seen) == {"200 first", "200 second"}
    assert probe(server, NAME).text.strip() == "second"


def test_a_route_that_the_proxy_does_not_take_is_put_back(
    host: Host, server: Server, lab_server: LabServer, odoo: Callable[..., str]
) -> None:
    good = specification(odoo("good"))
    routing.apply_route(host, good, server=server)
    before = lab_server.path(str(routing.route_path(good.environment_id))).read_text()
    # One broken file makes Traefik refuse every later change of the folder.
    broken = lab_server.path("/opt/oecsh/proxy/dynamic/somebody-else.yml")
    broken.write_text("http: [this is not a route\n")
    with pytest.raises(Problem) as caught:
        routing.apply_route(host, replace(good, upstream="elsewhere"), server=server, timeout=4)
    broken.unlink()
    assert caught.value.code == "domains.route_broken"
    assert lab_server.path(str(routing.route_path(good.environment_id))).read_text() == before
    assert probe(server, NAME).text.strip() == "good"


def test_a_first_route_that_the_proxy_does_not_take_is_removed(
    host: Host, server: Server, lab_server: LabServer
) -> None:
    route = specification()
    broken = lab_server.path("/opt/oecsh/proxy/dynamic/somebody-else.yml")
    broken.write_text("http: [this is not a route\n")
    with pytest.raises(Problem, match="does not take the route"):
        routing.apply_route(host, route, server=server, timeout=3)
    broken.unlink()
    assert not lab_server.path(str(routing.route_path(route.environment_id))).exists()


def test_being_cancelled_puts_the_route_from_before_back(
    host: Host, server: Server, lab_server: LabServer, run: Recorder
) -> None:
    good = specification()
    routing.apply_route(host, good, server=server)
    run.stop = Cancelled()
    broken = lab_server.path("/opt/oecsh/proxy/dynamic/somebody-else.yml")
    broken.write_text("http: [\n")
    with pytest.raises(Cancelled):
        routing.apply_route(host, replace(good, workers=4), server=server, run=run)
    broken.unlink()
    assert lab_server.path(str(routing.route_path(good.environment_id))).read_text() == render_route(good)


def test_the_route_from_before_can_be_asked_for(host: Host, server: Server, odoo: Callable[..., str]) -> None:
    first = specification(odoo("first"))
    assert not routing.roll_back_route(host, first.environment_id, NAME, server=server)
    routing.apply_route(host, first, server=server)
    routing.apply_route(host, replace(first, upstream=odoo("second")), server=server)
    assert routing.roll_back_route(host, first.environment_id, NAME, server=server)
    assert probe(server, NAME).text.strip() == "first"


def test_a_removed_route_leads_nowhere(host: Host, server: Server) -> None:
    route = specification(state=RouteState.STOPPED)
    routing.apply_route(host, route, server=server)
    for _ in range(2):
        routing.remove_route(host, route.environment_id)
    deadline = time.monotonic() + 5
    while (answer := probe(server, NAME)).status != 404:
        assert time.monotonic() < deadline, answer


def test_a_proxy_that_does_not_run(host: Host, server: Server) -> None:
    host.docker.containers.get("oecsh_proxy").stop(timeout=5)
    try:
        with pytest.raises(Problem) as caught:
            routing.apply_route(host, specification(), server=server, timeout=1)
        assert "refused" in caught.value.title
        assert probe(server, NAME).status is None
    finally:
        host.docker.containers.get("oecsh_proxy").start()


def test_a_websocket_that_nobody_answers_is_no_handshake(host: Host, server: Server, odoo: Callable[..., str]) -> None:
    routing.apply_route(host, specification(odoo()), server=server)
    assert probe_websocket(server, NAME).status == 404
