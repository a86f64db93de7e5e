"""The one string that SSH asks for: whatever the arguments hold, the shell hands over just them."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.servers.host.commands import command_line, program_name

WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30), max_size=6)


@pytest.mark.parametrize("shell", ["sh", "bash"])
@given(words=WORDS)
def test_every_shell_hands_over_the_arguments_as_they_are(shell: str, words: list[str]) -> None:
    line = command_line(["printf", "%s\\0", "begin", *words])
    told = subprocess.run([shell, "-c", line], capture_output=True, check=True).stdout
    assert told.decode().split("\0")[:-1] == ["begin", *words]


def test_a_null_character_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        command_line(["echo", "a\0b"])


def test_messages_name_the_program_alone() -> None:
    assert program_name(["/usr/bin/docker", "login", "--password", "secret"]) == "docker"
