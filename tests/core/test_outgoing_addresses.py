"""A name with many addresses: all are checked, few are tried, and not for long."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest
import requests

from apps.core import outgoing
from apps.core.exceptions import Problem


@pytest.fixture
def lead_to(settings, monkeypatch):
    """`lead_to(addresses)`: where many.example.com is, and the list of those that are connected to."""
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    look_up, connect = socket.getaddrinfo, socket.create_connection

    def lead(addresses):
        def resolve(host, port, *arguments, **named):
            if host != "many.example.com":
                return look_up(host, port, *arguments, **named)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        opened = []
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        monkeypatch.setattr(socket, "create_connection", lambda to, *given: opened.append(to[0]) or connect(to, *given))
        return opened

    return lead


@pytest.fixture
def silent_port():
    """A port of every address of this machine where connecting gets no answer: what may wait there waits already."""
    with contextlib.ExitStack() as open_ones, socket.socket() as listening:
        listening.bind(("0.0.0.0", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = open_ones.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", listening.getsockname()[1]))
        time.sleep(0.1)
        yield listening.getsockname()[1]


def some(count):
    return [f"127.0.{number // 200}.{number % 200 + 1}" for number in range(count)]


def test_few_of_many_addresses_are_tried(lead_to):
    opened = lead_to(some(300))
    with outgoing.session(schemes=("http",)) as session, pytest.raises(requests.ConnectionError):
        session.get("http://many.example.com:9/")
    assert opened == some(300)[:8]


def test_all_of_them_are_checked(lead_to):
    opened = lead_to([*some(300), "10.0.0.1"])
    with outgoing.session(schemes=("http",)) as session, pytest.raises(Problem) as caught:
        session.get("http://many.example.com:9/")
    assert caught.value.code == "core.address_not_allowed"
    assert opened == []


def test_all_attempts_together_end_in_time(lead_to, silent_port):
    opened = lead_to(some(300))
    began = time.monotonic()
    with outgoing.session(schemes=("http",)) as session, pytest.raises(requests.ConnectTimeout):
        session.get(f"http://many.example.com:{silent_port}/", timeout=(0.5, 5))
    assert 1.4 < time.monotonic() - began < 3
    assert len(opened) in (3, 4)
