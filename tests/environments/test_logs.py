"""The log of a running environment: numbered so that nothing is lost or doubled, masked, by level, live."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.core.masking import MASK, Masker
from apps.environments.logs import OdooLine, filtered, parse
from apps.environments.models import Environment, EnvironmentVariable
from apps.operations.guarded import NOT_ALLOWED
from apps.orgs.models import Membership
from tests.factories import make_environment, make_project, make_server
from tests.operations.sockets import Socket

TRACEBACK = [
    b"2026-01-31T12:00:00.000001000Z 2026-01-31 12:00:00,000 7 INFO shop odoo.modules: loading",
    b"2026-01-31T12:00:00.000001500Z 2026-01-31 12:00:00,000 7 ERROR shop odoo.http: Exception",
    b"2026-01-31T12:00:00.000001900Z Traceback (most recent call last):",
    b'2026-01-31T12:00:00.000009000Z   File "x"',
    b"2026-01-31T12:00:01.000000000Z 2026-01-31 12:00:01,000 7 CRITICAL shop odoo: end",
    b"2026-01-31T12:00:02Z no stamp of Odoo",
]
START = int(datetime.fromisoformat("2026-01-31T12:00:00Z").timestamp()) * 1_000_000


def test_numbers_levels_and_texts():
    lines = list(parse(TRACEBACK, Masker()))
    assert [line.sequence - START for line in lines] == [1, 2, 3, 9, 1_000_000, 2_000_000]
    assert [line.level for line in lines] == ["INFO", "ERROR", "ERROR", "ERROR", "ERROR", "ERROR"]
    assert lines[3].text == '  File "x"'
    assert lines[0].time.isoformat() == "2026-01-31T12:00:00.000001+00:00"


def test_secrets_and_escapes_are_taken_out():
    message = b"2026-01-31T12:00:00.000001Z \x1b[31mpassword is hunter22\x00\x1b[0m"
    assert next(iter(parse([message], Masker(["hunter22"])))).text == f"password is {MASK}"


def test_what_is_no_line_of_docker_still_comes_out():
    lines = list(parse([TRACEBACK[0], b"the rest of a long line", b"", b"\xff\xfe"], Masker()))
    assert [line.text for line in lines[1:3]] == ["the rest of a long line", ""]
    assert len({line.sequence for line in lines}) == 4


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.data())
def test_asked_again_from_anywhere_nothing_is_lost_or_doubled(gaps, data):
    """Times that repeat, read in pieces that begin where an earlier one ended."""
    moments, at = [], 0
    for gap in gaps:
        at += gap
        moments.append(at)
    messages = [f"2026-01-31T12:00:00.{moment:06}Z {number}".encode() for number, moment in enumerate(moments)]
    whole = list(parse(messages, Masker()))
    assert [line.text for line in whole] == [str(number) for number in range(len(gaps))]
    assert sorted({line.sequence for line in whole}) == [line.sequence for line in whole]
    cut = data.draw(st.integers(0, len(gaps) - 1))
    after = whole[cut].sequence
    assert [line for line in parse(messages, Masker()) if line.sequence > after] == whole[cut + 1 :]


def test_filters():
    lines = [OdooLine(1, "DEBUG", "a"), OdooLine(2, "INFO", "Loading Sale"), OdooLine(3, "WARNING", "b")]
    assert filtered(lines) == lines
    assert filtered(lines, level="INFO") == lines[1:]
    assert filtered(lines, words="sale") == [lines[1]]
    assert filtered(lines, level="nonsense") == lines


class TestPage:
    def test_who_may(self, cast, sign_in):
        environment = make_environment(make_project(cast.acme), server=make_server(cast.acme), status="running")
        for name in ("logs", "log_lines", "log_download"):
            url = reverse(f"environments:{name}", args=["acme", "shop", environment.slug])
            assert sign_in(cast.charlie).get(url).status_code == 404
            assert sign_in(cast.vera).post(url).status_code == 405
        assert (
            sign_in(cast.vera).get(reverse("environments:logs", args=["acme", "shop", "development"])).status_code
            == 200
        )

    @pytest.mark.parametrize("after", ["-1", "x", "1e3", "1" * 18, "٣"])
    def test_numbers_only(self, cast, sign_in, after):
        make_environment(make_project(cast.acme), status="running")
        url = reverse("environments:log_lines", args=["acme", "shop", "development"])
        assert sign_in(cast.vera).get(url, {"after": after}).status_code == 400

    def test_what_stands_against_it_is_said(self, cast, sign_in):
        make_environment(make_project(cast.acme), server=make_server(cast.acme), status="running")
        url = reverse("environments:log_lines", args=["acme", "shop", "development"])
        answer = sign_in(cast.vera).get(url).json()
        assert answer["lines"] == []
        assert "host key" in answer["problem"]


@pytest.mark.lab
class TestLive:
    @pytest.fixture
    def lines(self, cast, sign_in, environment):
        client, url = sign_in(cast.vera), reverse("environments:log_lines", args=["acme", "shop", environment.slug])
        return lambda **query: client.get(url, query).json()

    def test_lines_come_once(self, environment, containers, host, lines):
        first = lines()
        assert [line["text"] for line in first["lines"]] == ["odoo begins"]
        write(host, containers["odoo"], "one", "two", "three")
        second = lines(after=first["last"])
        assert [line["text"] for line in second["lines"]] == ["one", "two", "three"]
        assert lines(after=second["last"])["lines"] == []
        assert lines(after=second["last"])["last"] == second["last"]
        assert [line["text"] for line in lines(after=second["lines"][0]["sequence"])["lines"]] == ["two", "three"]

    def test_secrets_of_the_environment_are_masked(self, environment, containers, host, lines):
        EnvironmentVariable.objects.create(environment=environment, key="K", value="hunter22", sensitive=True)
        write(host, containers["odoo"], f"x {environment.database_password} hunter22")
        assert lines()["lines"][-1]["text"] == f"x {MASK} {MASK}"

    def test_by_level_and_words(self, environment, containers, host, lines):
        write(host, containers["odoo"], "2026-01-31 12:00:00,000 7 ERROR shop odoo.http: Boom", "after it")
        assert [line["text"] for line in lines(level="WARNING")["lines"]][-1] == "after it"
        assert len(lines(q="boom")["lines"]) == 1

    def test_the_file(self, cast, sign_in, environment, containers):
        url = reverse("environments:log_download", args=["acme", "shop", environment.slug])
        response = sign_in(cast.vera).get(url)
        assert response.content == b"odoo begins\n"
        assert "attachment" in response["Content-Disposition"]

    def test_no_container(self, environment, host, lines):
        assert "no Odoo container" in lines()["problem"]


@pytest.mark.lab
class TestSocket:
    @pytest.fixture(autouse=True)
    async def closed_connections(self, transactional_db):
        yield
        await sync_to_async(connections.close_all)()

    async def test_news_within_a_moment_and_the_end_of_the_right(self, cast, sign_in, environment, containers, host):
        client = await sync_to_async(sign_in)(cast.vera)
        socket = Socket(f"/ws/environments/{environment.pk}/log/", client)
        assert await socket.connect() is None
        assert await socket.receive(timeout=15) == {"new": True}
        await asyncio.sleep(1)
        started = time.monotonic()
        await asyncio.to_thread(write, host, containers["odoo"], "hello")
        assert await socket.receive(timeout=5) == {"new": True}
        assert time.monotonic() - started < 3
        await sync_to_async(Membership.objects.filter(user=cast.vera).delete)()
        assert await socket.close_code(10) == NOT_ALLOWED
        await socket.disconnect()

    async def test_the_next_container_is_followed_too(self, cast, sign_in, environment, containers, host):
        socket = Socket(f"/ws/environments/{environment.pk}/log/", await sync_to_async(sign_in)(cast.vera))
        assert await socket.connect() is None
        await socket.receive(timeout=15)
        container = host.docker.containers.get(containers["odoo"])
        await asyncio.to_thread(container.restart, timeout=1)
        await socket.receive(timeout=10)
        await asyncio.sleep(3)
        while not await socket.is_silent(0.3):
            await socket.receive()
        await asyncio.to_thread(write, host, containers["odoo"], "again")
        assert await socket.receive(timeout=5) == {"new": True}
        await socket.disconnect()

    async def test_strangers_are_refused(self, cast, sign_in, environment):
        for person in (cast.charlie, None):
            client = await sync_to_async(sign_in)(person) if person else None
            assert await Socket(f"/ws/environments/{environment.pk}/log/", client).connect() == NOT_ALLOWED

    async def test_a_destroyed_one_is_gone(self, cast, sign_in, environment):
        await sync_to_async(Environment.objects.update)(status="deleted")
        client = await sync_to_async(sign_in)(cast.vera)
        assert await Socket(f"/ws/environments/{environment.pk}/log/", client).connect() == NOT_ALLOWED


def write(host, container, *lines):
    """Lines from inside, to the first process' own output."""
    for line in lines:
        host.docker.containers.get(container).exec_run(["sh", "-c", 'echo "$1" > /proc/1/fd/1', "sh", line])
