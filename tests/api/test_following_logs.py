"""Following an environment's log by the API, on a server that answers as a test wants it to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from apps.environments.models import Environment
from apps.orgs import overrides
from tests.api.conftest import Program, make_program
from tests.api.listening import Listener
from tests.api.log_engine import environment_at, log_engine, now
from tests.cast import Cast, make_cast
from tests.servers.peer import Peer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings):
    settings.API_STREAM_POLL_SECONDS = 0.05
    settings.API_STREAM_HEARTBEAT_SECONDS = 0.3


@pytest.fixture(autouse=True)
async def closed_connections(transactional_db):
    yield
    await sync_to_async(connections.close_all)()


@sync_to_async
def _prepared(peer: Peer) -> tuple[Cast, Environment, Program]:
    cast = make_cast()
    return cast, environment_at(peer, cast.acme), make_program(cast.acme, cast.vera, "ro")


def path_of(environment: Environment) -> str:
    return f"/environments/{environment.pk}/logs/stream"


async def texts_of(listener: Listener, count: int) -> list[Any]:
    """Of the next lines; heartbeats in between do not count."""
    return [(await asyncio.wait_for(listener.event("line"), 15))["data"]["text"] for _ in range(count)]


async def test_lines_that_could_not_be_read_come_though_odoo_is_silent():
    with log_engine() as (engine, peer):
        _, environment, program = await _prepared(peer)
        engine.write("begins")
        listener = await Listener.open(program, path_of(environment))
        assert await texts_of(listener, 1) == ["begins"]
        assert await asyncio.to_thread(engine.followed.wait, 10)
        await asyncio.sleep(0.5)  # what the watcher said when it began is looked after by then
        engine.failures = 1
        engine.write("the last for a long time")
        engine.announce()
        assert (await listener.event("problem"))["data"]["error"] == "environments.log_unreadable"
        assert await texts_of(listener, 1) == ["the last for a long time"]
        await listener.close()


async def test_what_was_missed_is_read_once_and_comes_in_order():
    with log_engine() as (engine, peer):
        _, environment, program = await _prepared(peer)
        texts = [str(number) for number in range(4500)]
        engine.write(*texts, at=now() - 60_000_000)
        headers = {"Last-Event-ID": str(engine.lines[0][0])}
        listener = await Listener.open(program, path_of(environment), **headers)
        assert await texts_of(listener, 4499) == texts[1:]
        # Once by itself, and perhaps once because the watcher has begun.
        assert len(engine.asked) <= 2
        await listener.close()


@pytest.mark.parametrize("hours", [2, 24 * 365 * 50])
async def test_who_was_away_for_long_begins_with_the_last_lines(hours):
    with log_engine() as (engine, peer):
        _, environment, program = await _prepared(peer)
        engine.write("known", "missed", at=now() - hours * 3600 * 1_000_000)
        engine.write("one", "two", "three", at=now() - 5_000_000)
        headers = {"Last-Event-ID": str(engine.lines[0][0])}
        listener = await Listener.open(program, path_of(environment) + "?tail=2", **headers)
        assert await texts_of(listener, 2) == ["two", "three"]
        assert (engine.asked[0].get("tail"), engine.asked[0].get("since")) == ("2", None)
        engine.write("four")
        engine.announce()
        assert await texts_of(listener, 1) == ["four"]
        await listener.close()


async def hear_heartbeat(listener: Listener) -> None:
    while await listener.part() != ": still here\n\n":
        pass


async def test_a_slow_server_holds_up_its_own_organization_alone():
    with log_engine() as (slow, peer), log_engine() as (quick, other_peer):
        cast, environment, program = await _prepared(peer)
        theirs = await sync_to_async(environment_at)(other_peer, cast.umbrella)
        stranger = await sync_to_async(make_program)(cast.umbrella, cast.charlie)
        owner = await sync_to_async(make_program)(cast.acme, cast.alice)
        slow.write("late")
        quick.write("at once")
        slow.answering.clear()
        listeners = [await Listener.open(one, path_of(environment)) for one in (program, owner, owner)]
        for listener in listeners:
            await hear_heartbeat(listener)
        await asyncio.sleep(1)
        await hear_heartbeat(listeners[2])
        assert len(slow.asked) == 2
        other = await Listener.open(stranger, path_of(theirs))
        assert await texts_of(other, 1) == ["at once"]
        await sync_to_async(overrides.set_override)(
            organization=cast.acme,
            user=cast.vera,
            code="project.environments.logs.view",
            effect="deny",
            actor=cast.alice,
        )
        assert (await listeners[0].event())["data"] == {"error": "not_allowed"}
        slow.answering.set()
        for listener in listeners[1:]:
            assert await texts_of(listener, 1) == ["late"]
        for listener in (*listeners[1:], other):
            await listener.close()
