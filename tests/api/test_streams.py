"""Server-sent events: what comes, where it goes on, and when it ends."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from apps.api import keys
from apps.environments.changes import set_status
from apps.operations.models import LogLine, Operation
from apps.orgs.models import Membership
from tests.api.conftest import PREFIX, Program, make_program
from tests.api.listening import Listener
from tests.cast import Cast, make_cast
from tests.deployments.rows import make_deployment, make_environment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings):
    settings.API_STREAM_POLL_SECONDS = 0.05
    settings.API_STREAM_HEARTBEAT_SECONDS = 0.3


@pytest.fixture(autouse=True)
async def closed_connections(transactional_db):
    """The thread in which asynchronous code asks the database keeps no connection from one test to the next."""
    yield
    await sync_to_async(connections.close_all)()


def _prepared() -> tuple[Cast, Any, Any, Program]:
    cast = make_cast()
    environment = make_environment(cast.acme)
    deployment = make_deployment(environment, cast.alice, status="running")
    return cast, environment, deployment.operation, make_program(cast.acme, cast.alice, "ro")


def _say(operation: Operation, number: int) -> None:
    LogLine.objects.create(operation=operation, sequence=number, text=f"line {number}", created_at=operation.created_at)
    Operation.objects.filter(pk=operation.pk).update(log_sequence=number)


def _finish(operation: Operation) -> None:
    from apps.core import clock

    Operation.objects.filter(pk=operation.pk).update(
        status="completed", finished_at=clock.now(), version=operation.version + 5
    )


async def test_a_task_is_followed_to_its_end():
    _, environment, operation, program = await sync_to_async(_prepared)()
    await sync_to_async(_say)(operation, 1)
    listener = await Listener.open(program, f"/tasks/{operation.pk}/events")
    assert listener.response["Content-Type"].startswith("text/event-stream")
    assert (await listener.part()).startswith("retry: ")
    assert (await listener.event())["data"]["text"] == "line 1"
    task = await listener.event()
    assert (task["event"], task["data"]["environment_id"]) == ("task", str(environment.pk))
    assert len(task["data"]["steps"]) == 16
    await sync_to_async(_say)(operation, 2)
    assert (await listener.event())["data"]["text"] == "line 2"
    await sync_to_async(_finish)(operation)
    assert (await listener.event())["data"]["status"] == "completed"
    assert (await listener.event())["event"] == "end"
    with pytest.raises(StopAsyncIteration):
        await listener.part()


async def test_a_broken_stream_goes_on_where_it_was():
    _, _, operation, program = await sync_to_async(_prepared)()
    for number in (1, 2, 3):
        await sync_to_async(_say)(operation, number)
    await sync_to_async(_finish)(operation)
    operation = await Operation.objects.aget(pk=operation.pk)
    headers = {"Last-Event-ID": f"2.{operation.version}"}
    listener = await Listener.open(program, f"/tasks/{operation.pk}/events", **headers)
    assert (await listener.event())["data"]["text"] == "line 3"
    assert (await listener.event())["event"] == "end"


@pytest.mark.parametrize("last", ["x", "-1", "9" * 40, "1.x", "²"])
async def test_a_last_event_id_that_is_none_begins_anew(last):
    _, _, operation, program = await sync_to_async(_prepared)()
    await sync_to_async(_finish)(operation)
    headers = {"Last-Event-ID": last.encode().decode("latin-1")}
    listener = await Listener.open(program, f"/tasks/{operation.pk}/events", **headers)
    assert (await listener.event("end"))["data"]["status"] == "completed"
    stream = await Listener.open(program, "/events/stream", **headers)
    assert (await stream.part()).startswith("retry: ")
    await stream.close()


async def test_a_silent_stream_says_that_it_lives():
    _, _, operation, program = await sync_to_async(_prepared)()
    listener = await Listener.open(program, f"/tasks/{operation.pk}/events")
    await listener.event("task")
    assert await listener.part() == ": still here\n\n"
    await listener.close()


async def test_a_revoked_key_ends_its_streams():
    cast, _, operation, program = await sync_to_async(_prepared)()
    listener = await Listener.open(program, f"/tasks/{operation.pk}/events")
    await listener.event("task")
    await sync_to_async(keys.revoke_key)(key=program.key, actor=cast.alice)
    assert (await listener.event("closed"))["data"] == {"error": "key_revoked"}
    with pytest.raises(StopAsyncIteration):
        await listener.part()


async def test_a_member_who_is_removed_hears_no_more():
    cast, _, operation, _ = await sync_to_async(_prepared)()
    program = await sync_to_async(make_program)(cast.acme, cast.anna)
    listener = await Listener.open(program, f"/tasks/{operation.pk}/events")
    await listener.event("task")
    await Membership.objects.filter(user=cast.anna).adelete()
    assert (await listener.event("closed"))["data"] == {"error": "key_revoked"}


async def test_one_stream_for_everything_that_the_key_may_see():
    cast, environment, operation, program = await sync_to_async(_prepared)()
    stranger = await sync_to_async(make_program)(cast.umbrella, cast.charlie)
    listener = await Listener.open(program, "/events/stream")
    others = await Listener.open(stranger, "/events/stream")
    await listener.part()
    assert (await others.part()).startswith("retry: ")
    await sync_to_async(set_status)(environment, "stopped")
    while (told := await listener.event("environment"))["data"]["status"] != "stopped":
        pass
    assert told["data"]["id"] == str(environment.pk)
    await sync_to_async(_finish)(operation)
    await Operation.objects.filter(pk=operation.pk).aupdate(updated_at=_now())
    while (ended := await listener.event("task"))["data"]["status"] != "completed":
        pass
    await listener.close()
    again = await Listener.open(program, "/events/stream", **{"Last-Event-ID": ended["id"]})
    assert (await again.event("task"))["data"]["task_id"] == str(operation.pk)
    assert await others.part() == ": still here\n\n"
    await again.close()
    await others.close()


async def test_only_so_many_streams_at_once(settings):
    settings.API_STREAMS_PER_KEY = 1
    _, _, operation, program = await sync_to_async(_prepared)()
    first = await Listener.open(program, f"/tasks/{operation.pk}/events")
    await first.part()
    second = await AsyncClient().get(f"{PREFIX}/events/stream", headers={"Authorization": f"Bearer {program.text}"})
    assert (second.status_code, second.json()["error"]) == (429, "api.too_many_streams")
    await first.close()
    third = await Listener.open(program, f"/tasks/{operation.pk}/events")
    assert (await third.part()).startswith("retry: ")
    await third.close()


def _now():
    from apps.core import clock

    return clock.now()


@pytest.mark.parametrize(
    ("name", "holder"),
    [("API_STREAMS_PER_PERSON", "This person"), ("API_STREAMS_PER_PROCESS", "This part of the platform")],
)
async def test_more_keys_open_no_more_streams(settings, name, holder):
    setattr(settings, name, 1)
    cast, _, operation, program = await sync_to_async(_prepared)()
    other = await sync_to_async(make_program)(cast.acme, cast.alice)
    first = await Listener.open(program, f"/tasks/{operation.pk}/events")
    await first.part()
    second = await AsyncClient().get(f"{PREFIX}/events/stream", headers={"Authorization": f"Bearer {other.text}"})
    assert (second.status_code, second.json()["error"]) == (429, "api.too_many_streams")
    assert second.json()["message"].startswith(f"{holder} has 1 event stream")
    await first.close()
    third = await Listener.open(other, f"/tasks/{operation.pk}/events")
    assert (await third.part()).startswith("retry: ")
    await third.close()


async def test_streams_that_came_together_are_counted_when_they_begin(settings):
    settings.API_STREAMS_PER_KEY = 1
    _, _, operation, program = await sync_to_async(_prepared)()
    both = [await Listener.open(program, f"/tasks/{operation.pk}/events") for _ in range(2)]
    assert (await both[0].part()).startswith("retry: ")
    assert (await both[1].event("closed"))["data"] == {"error": "api.too_many_streams"}
    with pytest.raises(StopAsyncIteration):
        await both[1].part()
    await both[0].close()
