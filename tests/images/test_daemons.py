"""Detached programs: started, known again, ended; and files that name the wrong process."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from images import daemons
from images.errors import ImagesError


def test_program_is_known_again_by_its_file_and_ended(tmp_path: Path) -> None:
    file = tmp_path / "one.pid"

    def known() -> bool:
        return daemons.pid_in(file, "sleep") is not None

    pid = daemons.start(["sleep", "60"], log=tmp_path / "log", answers=known, seconds=5, pid_file=file)
    assert daemons.pid_in(file, "sleep") == pid
    assert os.getsid(pid) == pid, "it would end with the terminal that started it"
    assert daemons.stop(file, "sleep") is True
    assert daemons.program_of(pid) is None
    assert not file.exists()
    assert daemons.stop(file, "sleep") is False


def test_number_that_went_to_another_program_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "60"])
    file = tmp_path / "one.pid"
    file.write_text(f"{other.pid}\n")
    try:
        assert daemons.pid_in(file, "dockerd") is None
        assert daemons.stop(file, "dockerd") is False
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
    assert daemons.pid_in(file, "sleep") is None, "a process that has ended"


@pytest.mark.parametrize("content", ["", "\n", "no number", "99999999", "-1"])
def test_file_without_a_usable_number(tmp_path: Path, content: str) -> None:
    file = tmp_path / "one.pid"
    file.write_text(content)
    assert daemons.pid_in(file, "sleep") is None


def test_program_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo the port is taken >&2; exit 3"]
    with pytest.raises(ImagesError, match=r"status 3(.|\n)*the port is taken"):
        daemons.start(command, log=tmp_path / "log", answers=lambda: False, seconds=5, pid_file=None)


def test_program_that_never_answers_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "one.pid"
    with pytest.raises(ImagesError, match="did not answer within"):
        daemons.start(["sleep", "60"], log=tmp_path / "log", answers=lambda: False, seconds=0.2, pid_file=file)
    assert daemons.pid_in(file, "sleep") is None
