"""The log of a real container, by the API: asked for, and followed."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from apps.core.masking import MASK
from apps.environments import log_watch
from tests.api.conftest import make_program
from tests.api.listening import Listener
from tests.environments.test_logs import write

pytestmark = pytest.mark.lab


@pytest.fixture(autouse=True)
async def closed_connections(transactional_db):
    yield
    await sync_to_async(connections.close_all)()


@pytest.fixture
def vera(cast):
    return make_program(cast.acme, cast.vera, "ro")


@pytest.fixture
def path(environment):
    return f"/environments/{environment.pk}/logs"


def test_lines_come_once_by_level_and_words(vera, path, environment, containers, host):
    first = vera.get(path).json()
    assert [line["text"] for line in first["lines"]] == ["odoo begins"]
    assert (first["more"], first["status"]) == (False, "running")
    write(host, containers["odoo"], "2026-01-31 12:00:00,000 7 ERROR shop odoo.http: Boom", environment.master_password)
    second = vera.get(f"{path}?after={first['last']}").json()
    assert [line["text"].rpartition(" ")[2] for line in second["lines"]] == ["Boom", MASK]
    assert vera.get(f"{path}?after={second['last']}").json()["lines"] == []
    assert len(vera.get(f"{path}?tail=1").json()["lines"]) == 1
    assert len(vera.get(f"{path}?level=WARNING").json()["lines"]) == 2
    assert len(vera.get(f"{path}?q=boom").json()["lines"]) == 1


async def test_it_is_followed_and_taken_up_again(vera, path, environment, containers, host):
    listener = await Listener.open(vera, f"{path}/stream")
    assert (await listener.event("line"))["data"]["text"] == "odoo begins"
    await asyncio.sleep(2)  # the watcher is connected by then
    await asyncio.to_thread(write, host, containers["odoo"], "one", "two")
    one = await listener.event("line")
    assert [one["data"]["text"], (await listener.event("line"))["data"]["text"]] == ["one", "two"]
    assert environment.pk in log_watch._watchers
    await listener.close()
    await asyncio.sleep(0.5)
    assert environment.pk not in log_watch._watchers
    again = await Listener.open(vera, f"{path}/stream", **{"Last-Event-ID": one["id"]})
    assert (await again.event("line"))["data"]["text"] == "two"
    await again.close()
