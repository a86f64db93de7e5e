"""Going on with a container's log after any interruption: no line lost, none twice, in the order of the log."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.exceptions import Problem
from apps.servers.host.job_log import LONGEST_LINE, LogReader

BEGIN = datetime(2026, 1, 31, 23, 59, 50, tzinfo=UTC)


def message(milliseconds: int, content: str) -> tuple[datetime, bytes]:
    moment = BEGIN + timedelta(milliseconds=milliseconds)
    return moment, f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z {content}".encode()


def since(log: list[tuple[datetime, bytes]], second: int) -> list[bytes]:
    """Docker's answer: the messages from that second on, in the order of the log."""
    return [data for moment, data in log if moment.timestamp() >= second]


def read_in_pieces(log: list[tuple[datetime, bytes]], cuts: list[int]) -> list[str]:
    """Reads with interruptions: at each, the rest of the answer is lost and only the position is kept."""
    position, taken = None, []
    for cut in [*cuts, 10**9]:
        reader = LogReader.at(position)
        for number, (after, text) in enumerate(reader.lines(since(log, reader.since))):
            if number >= cut:
                break
            position = after
            taken.append(text)
    return taken


def test_a_whole_log_at_once() -> None:
    log = [message(0, "one\n"), message(0, "two\n"), message(5000, "three\n")]
    assert read_in_pieces(log, []) == ["one", "two", "three"]


def test_lines_of_one_instant() -> None:
    log = [message(10, f"{number}\n") for number in range(10)]
    assert read_in_pieces(log, [3, 2]) == [str(number) for number in range(10)]


def test_a_line_in_pieces_is_one_line() -> None:
    log = [message(0, "a" * 10), message(900, "b" * 10), message(1100, "end\n"), message(1200, "next\n")]
    expected = ["a" * 10 + "b" * 10 + "end", "next"]
    assert read_in_pieces(log, []) == expected
    assert read_in_pieces(log, [1, 0]) == expected


def test_a_last_line_without_an_end() -> None:
    log = [message(0, "whole\n"), message(10, "half")]
    assert read_in_pieces(log, [1]) == ["whole", "half"]


def test_times_that_go_back() -> None:
    """The two streams are written side by side."""
    log = [message(1990, "out\n"), message(2010, "error\n"), message(1995, "out again\n"), message(2020, "end\n")]
    for cut in range(4):
        assert read_in_pieces(log, [cut]) == ["out", "error", "out again", "end"]


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(-900, 0)), min_size=1, max_size=60),
    st.lists(st.integers(0, 20), max_size=8),
)
def test_any_log_with_any_interruptions(steps: list[tuple[int, int]], cuts: list[int]) -> None:
    log, clock = [], 1000
    for number, (forward, back) in enumerate(steps):
        clock += forward
        log.append(message(clock + back, f"line {number}\n"))
    assert read_in_pieces(log, cuts) == [f"line {number}" for number in range(len(steps))]


def test_a_line_without_end_is_cut_and_the_next_is_whole() -> None:
    log = [message(number, "x" * 1000) for number in range(1000)]
    log += [message(1001, "end\n"), message(1002, "next\n")]
    assert read_in_pieces(log, []) == ["x" * LONGEST_LINE, "next"]
    assert read_in_pieces(log, [1]) == ["x" * LONGEST_LINE, "next"]


def test_times_without_end_are_refused() -> None:
    endless = (message(1000 * number, "no end")[1] for number in itertools.count())
    with pytest.raises(Problem) as caught:
        list(LogReader.at(None).lines(endless))
    assert caught.value.code == "servers.docker_unreadable"


def test_the_question_moves_on() -> None:
    reader = LogReader.at(None)
    positions = [position for position, _ in reader.lines([message(second * 1000, "x\n")[1] for second in range(100)])]
    assert positions[-1][0] >= BEGIN.timestamp() + 97, "a long log is not asked for again from its beginning"
    assert positions[-1][1] <= 3
