"""Tickets are written as root into a folder that the customer's code can change: no link is ever followed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from apps.deployments.login import WRITE_TICKET

NAME = "a" * 64


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def write(data: Path, name: str = NAME) -> subprocess.CompletedProcess[str]:
    command = ["sh", "-c", WRITE_TICKET, "sh", str(data), name]
    return subprocess.run(command, input='{"login": "admin"}', text=True, capture_output=True, timeout=10, check=False)


def test_a_ticket_is_there_for_its_owner_alone(data: Path) -> None:
    assert write(data).returncode == 0
    ticket = data / "oecsh_login" / NAME
    assert ticket.read_text() == '{"login": "admin"}'
    assert ticket.stat().st_mode & 0o777 == 0o600
    assert ticket.parent.stat().st_mode & 0o777 == 0o700
    assert ticket.stat().st_uid == data.stat().st_uid


def test_a_link_in_the_place_of_the_folder_is_not_followed(data: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir(mode=0o755)
    (data / "oecsh_login").symlink_to(elsewhere)
    assert write(data).returncode == 0
    assert elsewhere.stat().st_mode & 0o777 == 0o755
    assert not list(elsewhere.iterdir())
    assert (data / "oecsh_login" / NAME).is_file()


def test_a_link_in_the_place_of_the_ticket_is_not_followed(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "shadow"
    target.write_text("kept")
    (data / "oecsh_login").mkdir()
    (data / "oecsh_login" / NAME).symlink_to(target)
    assert write(data).returncode != 0
    assert target.read_text() == "kept"


def test_tickets_that_nobody_took_go(data: Path) -> None:
    write(data, "b" * 64)
    old = data / "oecsh_login" / ("b" * 64)
    os.utime(old, (0, 0))
    assert write(data).returncode == 0
    assert not old.exists()
