"""The states of a server: what a check, a preparation and a person make of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.servers import checks, keys, services, states
from apps.servers.facts import Facts, parse
from apps.servers.host import ConnectionLost
from apps.servers.models import Server
from apps.servers.signals import status_changed
from tests.servers.test_facts import ANSWER

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def facts() -> Facts:
    return parse(ANSWER)[0]


@pytest.fixture
def ready(make_server: Callable[..., Server]) -> Server:
    """A server that was prepared an hour ago and seen a minute ago."""
    return make_server(
        status="ready",
        bootstrapped_at=NOW - timedelta(hours=1),
        last_seen_at=NOW - timedelta(minutes=1),
        next_check_at=NOW,
    )


def lost() -> ConnectionLost:
    return ConnectionLost("servers.port_closed", address="192.0.2.1", port=22)


def changed() -> Problem:
    return Problem("servers.host_key_changed", address="192.0.2.1", expected="SHA256:a", found="SHA256:b")


def test_a_check_that_goes_well(ready: Server, facts: Facts) -> None:
    with clock.freeze(NOW):
        states.seen(ready, facts)
    ready.refresh_from_db()
    assert (ready.status, ready.last_seen_at, ready.next_check_at) == ("ready", NOW, NOW + timedelta(minutes=1))
    assert ready.facts["disk_free_megabytes"] == facts.disk_free_megabytes


def test_what_may_pass_is_unreachable_and_comes_back(ready: Server, facts: Facts) -> None:
    with clock.freeze(NOW):
        states.not_seen(ready, lost())
        assert (ready.status, ready.is_ready) == ("unreachable", False)
        assert "refuses connections" in ready.status_reason
        states.seen(ready, facts)
    assert (ready.status, ready.status_reason) == ("ready", "")


@pytest.mark.parametrize("problem", [changed, lambda: Problem("servers.key_refused", address="x", user="root")])
def test_what_a_person_must_look_at_is_an_error(ready: Server, problem: Callable[[], Problem]) -> None:
    with clock.freeze(NOW):
        states.not_seen(ready, problem())
    ready.refresh_from_db()
    assert ready.status == "error"
    assert ready.status_reason == problem().title


def test_a_name_that_no_longer_resolves_may_come_back(ready: Server) -> None:
    with clock.freeze(NOW):
        states.not_seen(ready, Problem("core.address_unknown", host="web.example.com"))
    assert ready.status == "unreachable"


def test_an_engine_that_does_not_answer(ready: Server) -> None:
    without = parse(ANSWER.replace("docker_version=20.10.24", "docker_version="))[0]
    with clock.freeze(NOW):
        states.seen(ready, without)
    assert ready.status == "error"
    assert "does not answer" in ready.status_reason


@pytest.mark.parametrize("status", ["pending", "connecting"])
def test_a_check_does_not_decide_about_a_server_that_was_never_prepared(make_server, facts: Facts, status: str) -> None:
    server = make_server(status=status)
    states.seen(server, facts)
    states.not_seen(server, lost())
    server.refresh_from_db()
    assert server.status == status


def test_the_longer_it_is_gone_the_rarer_it_is_asked(ready: Server) -> None:
    waits = []
    for gone in (timedelta(minutes=2), timedelta(minutes=20), timedelta(days=3)):
        ready.last_seen_at = NOW - gone
        with clock.freeze(NOW):
            states.not_seen(ready, lost())
        waits.append(ready.next_check_at - NOW)
    assert waits == [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=10)]


def test_news_are_told_once(ready: Server, facts: Facts) -> None:
    told: list[tuple[str, str]] = []

    def listen(sender, server, before, **rest) -> None:
        told.append((before, server.status))

    status_changed.connect(listen)
    try:
        with clock.freeze(NOW):
            states.seen(ready, facts)
            states.not_seen(ready, lost())
            states.not_seen(ready, lost())
            states.seen(ready, facts)
    finally:
        status_changed.disconnect(listen)
    assert told == [("ready", "unreachable"), ("unreachable", "ready")]


def test_a_stale_object_does_not_write_old_settings_back(ready: Server, facts: Facts) -> None:
    Server.objects.filter(pk=ready.pk).update(name="Renamed meanwhile")
    states.seen(ready, facts)
    ready.refresh_from_db()
    assert ready.name == "Renamed meanwhile"


def test_each_server_is_checked_once_when_it_is_due(make_server) -> None:
    due = make_server(bootstrapped_at=NOW, next_check_at=NOW - timedelta(seconds=1))
    make_server(bootstrapped_at=NOW, next_check_at=NOW + timedelta(seconds=30))
    make_server(bootstrapped_at=None, next_check_at=NOW - timedelta(days=1))
    with clock.freeze(NOW):
        assert checks.claim_due() == [due.pk]
        assert checks.claim_due() == [], "the next tick has nothing to do"
    with clock.freeze(NOW + timedelta(minutes=1)):
        assert len(checks.claim_due()) == 2


@pytest.mark.django_db(transaction=True)
def test_a_tick_checks_many_at_once_and_survives_the_strange_ones(make_server) -> None:
    host_key = keys.generate().public_key
    now = clock.now()
    reached = [
        make_server(address="127.0.0.1", port=port, host_key=host_key, bootstrapped_at=now, next_check_at=now)
        for port in range(9, 15)
    ]
    broken = make_server(address="127.0.0.1", port=1, host_key=" ", bootstrapped_at=now, next_check_at=now)
    assert checks.check_due() == 7
    for server in reached:
        server.refresh_from_db()
        assert server.status == "unreachable"
    broken.refresh_from_db()
    assert broken.status == "pending"


def test_new_work_only_where_it_is_ready(ready: Server) -> None:
    services.ensure_ready(ready)
    states.not_seen(ready, lost())
    with pytest.raises(Conflict) as caught:
        services.ensure_ready(ready)
    assert caught.value.code == "servers.not_ready"
    assert "refuses connections" in caught.value.title
