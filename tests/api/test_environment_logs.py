"""The log of a running environment, by the API: who may, what is asked, what stands against it. Lines of a real
container are the matter of tests/environments/test_log_by_api.py."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from apps.api.models import ApiKey
from apps.environments.models import Environment
from apps.orgs import overrides
from apps.orgs.models import Membership
from tests.api.conftest import PREFIX, make_program
from tests.api.listening import Listener
from tests.cast import make_cast
from tests.factories import make_environment, make_project, make_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings):
    settings.API_STREAM_POLL_SECONDS = 0.05
    settings.API_STREAM_HEARTBEAT_SECONDS = 0.3


@pytest.fixture(autouse=True)
async def closed_connections(transactional_db):
    yield
    await sync_to_async(connections.close_all)()


def path_of(environment: Environment, more: str = "") -> str:
    return f"/environments/{environment.pk}/logs{more}"


@pytest.fixture
def environment(cast):
    """On a server whose host key nobody has confirmed: nothing connects to it."""
    return make_environment(make_project(cast.acme), server=make_server(cast.acme), status="running")


def test_what_stands_against_it(cast, alice, environment):
    answer = alice.get(path_of(environment))
    assert answer.json()["error"] == "servers.host_key_unknown"
    elsewhere = make_environment(make_project(cast.acme, "Elsewhere"))
    nothing = alice.get(path_of(elsewhere))
    assert (nothing.status_code, nothing.json()["error"]) == (404, "environments.no_log")


@pytest.mark.parametrize(
    "query", ["tail=0", "tail=3001", "after=-1", "after=x", "level=LOUD", "q=%00", "q=" + "x" * 201]
)
def test_what_is_refused(alice, environment, query):
    answer = alice.get(path_of(environment, f"?{query}"))
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_error")


@pytest.mark.parametrize("more", ["", "/stream"])
def test_who_may(cast, program, environment, more):
    overrides.set_override(
        organization=cast.acme,
        user=cast.vera,
        code="project.environments.logs.view",
        effect="deny",
        actor=cast.alice,
    )
    other = make_project(cast.acme, "Other")
    keys = [
        program(cast.umbrella, cast.charlie),
        program(cast.acme, cast.vera),
        program(cast.acme, cast.alice, project=other),
    ]
    assert [key.get(path_of(environment, more)).status_code for key in keys] == [404, 403, 404]


def test_a_reading_key_and_the_projects_own(cast, program, environment):
    keys = [
        program(cast.acme, cast.bob, ApiKey.Kind.READ_ONLY),
        program(cast.acme, cast.alice, project=environment.project),
    ]
    assert [key.get(path_of(environment)).json()["error"] for key in keys] == ["servers.host_key_unknown"] * 2


def test_a_destroyed_one_has_none(alice, environment):
    Environment.objects.update(status="deleted")
    assert [alice.get(path_of(environment, more)).status_code for more in ("", "/stream")] == [404, 404]


def _prepared():
    cast = make_cast()
    environment = make_environment(make_project(cast.acme), server=make_server(cast.acme), status="running")
    return cast, environment, make_program(cast.acme, cast.vera, "ro")


async def test_a_stream_says_once_what_stands_against_it_and_goes_on():
    _, environment, program = await sync_to_async(_prepared)()
    listener = await Listener.open(program, path_of(environment, "/stream"))
    told = await listener.event()
    assert (told["event"], told["data"]["error"]) == ("problem", "servers.host_key_unknown")
    assert await listener.part() == ": still here\n\n"
    await listener.close()


async def test_a_right_that_is_taken_ends_the_stream():
    cast, environment, program = await sync_to_async(_prepared)()
    listener = await Listener.open(program, path_of(environment, "/stream"))
    await listener.event("problem")
    await sync_to_async(overrides.set_override)(
        organization=cast.acme,
        user=cast.vera,
        code="project.environments.logs.view",
        effect="deny",
        actor=cast.alice,
    )
    assert (await listener.event("closed"))["data"] == {"error": "not_allowed"}
    with pytest.raises(StopAsyncIteration):
        await listener.part()


async def test_a_member_who_is_removed_hears_no_more():
    cast, environment, program = await sync_to_async(_prepared)()
    listener = await Listener.open(program, path_of(environment, "/stream"))
    await listener.event("problem")
    await Membership.objects.filter(user=cast.vera).adelete()
    assert (await listener.event("closed"))["data"] == {"error": "key_revoked"}


async def test_it_counts_among_the_streams_of_the_key(settings):
    settings.API_STREAMS_PER_KEY = 1
    _, environment, program = await sync_to_async(_prepared)()
    first = await Listener.open(program, path_of(environment, "/stream"))
    await first.event("problem")
    headers = {"Authorization": f"Bearer {program.text}"}
    second = await AsyncClient().get(f"{PREFIX}/events/stream", headers=headers)
    assert (second.status_code, second.json()["error"]) == (429, "api.too_many_streams")
    await first.close()
