"""Reading a container's log from an engine that may send anything, for as long as it is listened to."""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import docker.errors
import pytest

from apps.core.exceptions import Problem
from apps.core.masking import Masker
from apps.environments import container_log
from apps.environments.container_log import read_log
from apps.environments.logs import read_lines
from tests.environments.engine import engine

LINE = b"2026-01-31T12:00:00.000001000Z one line\n"


def frame(text: bytes, kind: int = 1) -> bytes:
    return struct.pack(">BxxxL", kind, len(text)) + text


def sends(*pieces: bytes):
    return lambda _: (200, {}, iter(pieces))


def test_both_outputs_come_in_their_order() -> None:
    with engine(sends(frame(LINE), frame(b"2026-01-31T12:00:01Z ", 2), frame(b"rest\n", 2))) as host:
        assert read_log(host, "x").content == LINE + b"2026-01-31T12:00:01Z rest\n"
        lines = read_lines(host, "x", masker=Masker()).lines
    assert [line.text for line in lines] == ["one line", "rest"]


def test_limits_reach_the_engine() -> None:
    asked = []

    def answer(path: str):
        asked.append(path)
        return 200, {}, iter([])

    with engine(answer) as host:
        assert read_lines(host, "x", masker=Masker(), after=5_000_000).lines == []
        assert read_lines(host, "x", masker=Masker(), tail=7).lines == []
    assert "since=3.000000" in asked[0]
    assert "timestamps=1" in asked[0]
    assert "tail=7" in asked[1]


def test_a_log_without_end_is_cut_after_a_whole_line() -> None:
    def forever(_: str):
        return 200, {}, itertools.repeat(frame(LINE * 1000))

    with engine(forever) as host:
        found, is_whole = read_log(host, "x")
    assert not is_whole
    assert len(found) <= container_log.LARGEST_LOG + 2**16
    assert found.endswith(b"one line\n")
    assert set(found.splitlines()) == {LINE.strip()}


def test_a_frame_that_claims_four_gigabytes_takes_no_memory() -> None:
    def claims() -> Iterator[bytes]:
        yield struct.pack(">BxxxL", 1, 2**32 - 1)
        yield LINE

    with engine(lambda _: (200, {}, claims())) as host:
        assert read_log(host, "x").content == LINE


def test_so_much_just_before_that_a_read_does_not_reach_the_news() -> None:
    """It is read again from closer by: whoever asks with the last number goes on."""
    first = 1_769_860_800_000_000  # 2026-01-31T12:00:00Z
    moments = [first + number * 100 for number in range(5000)]

    def answer(path: str):
        since = int(Decimal(parse_qs(urlsplit(path).query)["since"][0]) * 1_000_000)
        lines = [f"2026-01-31T12:00:00.{moment - first:06}Z line\n".encode() for moment in moments if moment >= since]
        return 200, {}, iter([frame(line) for line in lines])

    with engine(answer) as host:
        read, is_whole = read_lines(host, "x", masker=Masker(), after=moments[4000], largest=70_000)
        assert [line.sequence for line in read] == moments[4001:]
        assert is_whole
        read, is_whole = read_lines(host, "x", masker=Masker(), after=moments[100], largest=70_000)
    assert [line.sequence for line in read] == moments[101 : 101 + len(read)]
    assert not is_whole


@pytest.mark.parametrize("garbage", [b"", b"\x01", b"\x01\x00\x00", b"no frame at all, no frame at all"])
def test_what_is_no_stream_of_frames(garbage: bytes) -> None:
    with engine(sends(garbage)) as host:
        assert isinstance(read_log(host, "x").content, bytes)


def test_a_container_that_is_not_there() -> None:
    def missing(_: str):
        return 404, {"Content-Type": "application/json"}, iter([json.dumps({"message": "No such container"}).encode()])

    with engine(missing) as host:
        with pytest.raises(docker.errors.NotFound):
            read_log(host, "x")
        with pytest.raises(Problem) as caught:
            read_lines(host, "x", masker=Masker())
    assert caught.value.code == "environments.no_log"
