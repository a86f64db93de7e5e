"""The websocket: announcements for those who may look, closed when they may not any more."""

from __future__ import annotations

import time
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db import connections

from apps.operations import services
from apps.operations.guarded import NOT_ALLOWED
from apps.operations.models import LogLine, Status
from apps.operations.runner import run_operation
from apps.orgs.models import Membership
from apps.orgs.services import add_member
from tests.operations.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)


def socket(operation_id, client=None):
    return Socket(f"/ws/operations/{operation_id}/", client)


@pytest.fixture(autouse=True)
async def closed_connections(transactional_db):
    """The thread in which asynchronous code asks the database keeps no connection from one test to the next."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.fixture
def mine(cast, queue, organization):
    """An operation of an organization in which Bob is a developer."""
    add_member(organization=organization, user=cast.bob, role="developer", actor=cast.sam)
    return queue("toy.two")


async def opened(operation, client):
    opened_socket = socket(operation.pk, client)
    assert await opened_socket.connect() is None
    return opened_socket


async def test_a_member_hears_of_lines_and_steps_until_the_end(mine, cast, sign_in):
    opened_one = await opened(mine, await sync_to_async(sign_in)(cast.bob))
    assert await opened_one.receive() == {"sequence": 0, "version": 0, "status": "queued"}
    await sync_to_async(run_operation)(mine.pk)
    news = [{"sequence": 0, "version": 0}]
    while news[-1].get("status") != "completed":
        news.append(await opened_one.receive())
    assert news[-1] == {"sequence": 4, "version": 5, "status": "completed"}
    assert {tuple(sorted(message)) for message in news[1:]} == {("sequence", "status", "version")}
    await opened_one.disconnect()


async def test_a_line_is_announced_soon_after_it_was_written(mine, queue, world, work, cast, sign_in):
    opened_one = await opened(mine, await sync_to_async(sign_in)(cast.bob))
    await opened_one.receive()
    await sync_to_async(work)(mine)
    while (await opened_one.receive())["sequence"] == 0:
        pass
    heard_at = time.time()
    line = await LogLine.objects.filter(operation=mine).afirst()
    assert heard_at - line.created_at.timestamp() < 0.3
    await opened_one.disconnect()


@pytest.mark.parametrize("who", ["charlie", "alice", None])
async def test_a_stranger_and_somebody_who_is_not_signed_in_are_refused(mine, cast, sign_in, who):
    client = await sync_to_async(sign_in)(getattr(cast, who)) if who else None
    assert await socket(mine.pk, client).connect() == NOT_ALLOWED


async def test_an_operation_that_does_not_exist_is_refused_in_the_same_way(cast, sign_in):
    client = await sync_to_async(sign_in)(cast.sam)
    assert await socket(uuid.uuid4(), client).connect() == NOT_ALLOWED


def leave(user, organization):
    Membership.objects.get(user=user, organization=organization).delete()


async def test_it_is_closed_at_once_when_the_right_is_taken_away(mine, cast, sign_in):
    opened_one = await opened(mine, await sync_to_async(sign_in)(cast.bob))
    await sync_to_async(leave)(cast.bob, mine.organization)
    assert await opened_one.close_code(2) == NOT_ALLOWED


async def test_it_is_closed_at_once_when_the_person_is_locked_out(mine, cast, sign_in):
    opened_one = await opened(mine, await sync_to_async(sign_in)(cast.bob))
    cast.bob.is_active = False
    await sync_to_async(cast.bob.save)()
    assert await opened_one.close_code(2) == NOT_ALLOWED


async def test_it_stays_open_when_other_rights_change(mine, cast, sign_in):
    opened_one = await opened(mine, await sync_to_async(sign_in)(cast.bob))
    await opened_one.receive()
    await sync_to_async(leave)(cast.bob, cast.acme)
    await sync_to_async(leave)(cast.vera, cast.acme)
    assert await opened_one.is_silent(1)
    await opened_one.disconnect()


@pytest.fixture
def often(settings):
    """The regular look at the rights, every 0.3 s instead of every 30."""
    settings.OPERATION_RIGHTS_CHECK_SECONDS = 0.3


def change_password(cast):
    type(cast.bob).objects.filter(pk=cast.bob.pk).update(password="other")


async def test_it_is_closed_when_the_session_ends(mine, cast, sign_in, often):
    client = await sync_to_async(sign_in)(cast.bob)
    opened_one = await opened(mine, client)
    await sync_to_async(client.logout)()
    assert not await Session.objects.aexists()
    assert await opened_one.close_code(3) == NOT_ALLOWED


async def test_it_is_closed_when_rights_changed_without_a_word(mine, cast, sign_in, often):
    opened_one = await opened(mine, await sync_to_async(sign_in)(cast.bob))
    await Membership.objects.filter(user=cast.bob, organization=mine.organization).aupdate(user=cast.charlie)
    assert await opened_one.close_code(3) == NOT_ALLOWED


async def test_it_is_closed_when_the_password_was_changed(mine, cast, sign_in, often):
    opened_one = await opened(mine, await sync_to_async(sign_in)(cast.bob))
    await sync_to_async(change_password)(cast)
    assert await opened_one.close_code(3) == NOT_ALLOWED


async def test_the_state_is_told_again_regularly_for_announcements_that_were_lost(mine, cast, sign_in, often):
    opened_one = await opened(mine, await sync_to_async(sign_in)(cast.bob))
    await opened_one.receive()
    await type(mine).objects.filter(pk=mine.pk).aupdate(log_sequence=7)
    assert (await opened_one.receive())["sequence"] == 7
    await opened_one.disconnect()


async def test_what_the_browser_sends_is_ignored(mine, cast, sign_in):
    opened_one = await opened(mine, await sync_to_async(sign_in)(cast.bob))
    await opened_one.receive()
    await opened_one.send(text="{not json")
    await opened_one.send(bytes=b"\x00" * 1000)
    assert await opened_one.is_silent(0.5)
    await sync_to_async(services.cancel)(operation=mine, user=cast.alice)
    assert (await opened_one.receive())["status"] == Status.CANCELLED
    await opened_one.disconnect()
