"""Redis is only the bell: it is flushed, restarted, gone, and everything is done all the same."""

from __future__ import annotations

import asyncio
import time

import pytest
import redis
from asgiref.sync import sync_to_async
from django.db import connections

from apps.operations.announce import announce
from apps.operations.models import Status
from oecsh.embedded.valkey import Valkey
from tests.cast import open_to_staff
from tests.operations.conftest import wait_for, wait_until_over
from tests.operations.processes import beat, worker
from tests.operations.sockets import Socket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def control_plane(django_db_setup, django_db_blocker, tmp_path_factory, valkey):
    """A worker and beat on a Redis of their own. What this process rings is never heard: all bells are lost."""
    folder = tmp_path_factory.mktemp("processes")
    with django_db_blocker.unblock():
        processes = [worker(folder, 2, REDIS_URL=valkey.url), beat(folder, REDIS_URL=valkey.url)]
        try:
            for process in processes:
                process.start()
            processes[0].wait_until_it_says("ready.")
            yield processes
        finally:
            for process in processes:
                process.stop()


def test_an_operation_whose_bell_was_lost_is_found(control_plane, queue, world):
    operation = queue("toy.two")
    started = time.monotonic()
    assert wait_until_over(operation, 15).status == Status.COMPLETED
    assert time.monotonic() - started < 15


def test_redis_restarted_and_flushed_in_the_middle_of_a_step(control_plane, queue, world, valkey):
    operation = queue("toy.long", gate="third")
    wait_for(lambda: world.count("third", "begin"), 15)
    redis.Redis.from_url(valkey.url).flushall()
    valkey.stop()
    time.sleep(4)  # longer than a heartbeat: the lease does not rest on Redis
    operation.refresh_from_db()
    assert operation.attempt == 1
    world.gate("third").touch()
    assert wait_until_over(operation, 10).status == Status.COMPLETED, "it ends while Redis is gone"
    behind = queue("toy.two")
    valkey.start()
    assert wait_until_over(behind, 25).status == Status.COMPLETED, "and the next one begins when it is back"
    assert world.count("third", "begin") == 1


async def test_an_open_page_hears_again_after_redis_was_restarted(valkey, queue, organization, cast, sign_in, settings):
    """The page also asks every few seconds; but the announcements themselves come back too."""
    layer = settings.CHANNEL_LAYERS["default"]
    settings.CHANNEL_LAYERS = {"default": layer | {"CONFIG": layer["CONFIG"] | {"hosts": [valkey.url]}}}
    operation = await sync_to_async(queue)("toy.two")
    await sync_to_async(open_to_staff)(organization, cast.sam, cast.alice)
    page = Socket(f"/ws/operations/{operation.pk}/", await sync_to_async(sign_in)(cast.sam))
    assert await page.connect() is None
    await page.receive()
    await sync_to_async(valkey.stop)()
    await sync_to_async(announce)(operation)  # nobody hears this one
    await sync_to_async(valkey.start)()

    async def hears() -> bool:
        await sync_to_async(announce)(operation)
        return not await page.is_silent(0.5)

    async with asyncio.timeout(20):
        while not await hears():
            pass
    assert (await page.receive())["status"] == Status.QUEUED
    await page.disconnect()
    await sync_to_async(connections.close_all)()
