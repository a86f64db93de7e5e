"""Starting an engine among leftovers, on files of its own: the machine's engine is not touched."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from images import daemons
from images.engine import EnginePlace, connect, ensure_engine, stop_engine
from images.errors import ImagesError
from tests.images.containers import wait_until

pytestmark = pytest.mark.lab


@pytest.fixture
def place() -> Iterator[EnginePlace]:
    """An engine's files in a folder of their own (short: a socket's path has at most 107 letters)."""
    folder = Path(tempfile.mkdtemp(prefix="oecsh-engine-", dir="/tmp"))
    place = EnginePlace(
        name=folder.name,
        socket=folder / "docker.sock",
        pid_file=folder / "docker.pid",
        state=folder / "state",
        data=folder / "data",
        mirror="",
        # In a network namespace of its own: without a bridge an engine removes docker0, whoever's it is.
        launcher=("unshare", "--net"),
        options=("--bridge", "none", "--iptables=false"),
        log=folder / "log",
    )
    yield place
    stop_engine(place)
    shutil.rmtree(folder, ignore_errors=True)


def leave_behind(place: EnginePlace, pid: int) -> None:
    """What a killed machine leaves: process ids that now belong to somebody else, and a dead socket."""
    containerd = place.state / "containerd"
    containerd.mkdir(parents=True, exist_ok=True)
    (containerd / "containerd.pid").write_text(f"{pid}\n")
    place.pid_file.write_text(f"{pid}\n")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place.socket))


def test_engine_starts_among_leftovers_and_a_second_call_finds_it(place: EnginePlace) -> None:
    leave_behind(place, os.getpid())
    assert connect(place) is None
    assert ensure_engine(place).ping()
    first = daemons.pid_in(place.pid_file, "dockerd")
    assert first
    assert os.getsid(first) == first, "it would end with the terminal that started it"
    assert ensure_engine(place).ping()
    assert daemons.pid_in(place.pid_file, "dockerd") == first


def test_engine_that_was_killed_is_started_again(place: EnginePlace) -> None:
    ensure_engine(place).close()
    killed = int(place.pid_file.read_text())
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: daemons.program_of(killed) is None)
    assert place.pid_file.exists(), "the leftover that this test is about"
    assert ensure_engine(place).ping()
    assert daemons.pid_in(place.pid_file, "dockerd") not in (None, killed)


def test_only_an_engine_started_here_is_ended(place: EnginePlace) -> None:
    ensure_engine(place)
    assert stop_engine(place) is True
    assert connect(place) is None
    command = place.command()
    daemons.start(command, log=place.log_file, answers=lambda: connect(place) is not None, seconds=30, pid_file=None)
    try:
        assert stop_engine(place) is False
        assert connect(place) is not None
        assert ensure_engine(place).ping()
        assert stop_engine(place) is False, "using an engine does not make it ours"
    finally:
        daemons.stop(place.pid_file, "dockerd")


def test_engine_that_cannot_start_says_why(place: EnginePlace) -> None:
    broken = replace(place, options=("--no-such-option",))
    with pytest.raises(ImagesError, match="no-such-option"):
        ensure_engine(broken)
