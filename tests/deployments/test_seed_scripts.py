"""Seeds are copied and kept as root, from and to a folder that the customer's code can change: the real scripts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from apps.deployments import seeds

NAME = "the-database"


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    folder = tmp_path / "seeds" / "key"
    (folder / "postgres").mkdir(parents=True)
    (folder / "postgres" / "PG_VERSION").write_text("17\n")
    (folder / "filestore" / "ab").mkdir(parents=True)
    (folder / "filestore" / "ab" / "abc").write_text("a file of the seed")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "environments" / "one"
    (folder / "data").mkdir(parents=True)
    return folder


def run(script: str, *arguments: object, path: str | None = None) -> subprocess.CompletedProcess[str]:
    command = ["sh", "-c", script, "sh", *map(str, arguments)]
    environment = os.environ | ({"PATH": path} if path else {})
    return subprocess.run(command, text=True, capture_output=True, timeout=20, check=False, env=environment)


def copy(seed: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return run(seeds._COPY, seed, home, NAME)


def test_a_copy_is_whole_and_made_once(seed: Path, home: Path) -> None:
    assert copy(seed, home).returncode == 0
    assert (home / "postgres" / "PG_VERSION").read_text() == "17\n"
    assert (home / "data" / "filestore" / NAME / "ab" / "abc").read_text() == "a file of the seed"
    (home / "postgres" / "PG_VERSION").write_text("in use")
    assert copy(seed, home).returncode == 0
    assert (home / "postgres" / "PG_VERSION").read_text() == "in use"
    assert sorted(path.name for path in home.iterdir()) == ["data", "postgres"]


def test_a_seed_without_files_and_an_environment_without_a_folder(seed: Path, tmp_path: Path) -> None:
    subprocess.run(["rm", "-r", seed / "filestore"], check=True)
    home = tmp_path / "new"
    assert copy(seed, home).returncode == 0
    assert list((home / "data" / "filestore").iterdir()) == []


@pytest.mark.parametrize("name", ["filestore", f"filestore/{NAME}"])
def test_no_link_is_followed_when_copying(seed: Path, home: Path, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir()
    (elsewhere / "shadow").write_text("kept")
    (home / "data" / name).parent.mkdir(exist_ok=True)
    (home / "data" / name).symlink_to(elsewhere)
    assert copy(seed, home).returncode == 0
    assert [path.name for path in elsewhere.iterdir()] == ["shadow"]
    assert (home / "data" / "filestore" / NAME / "ab" / "abc").is_file()
    assert not (home / "data" / name).is_symlink()


def keep(home: Path, seed: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    return run(seeds._KEEP, home, NAME, seed, path=path)


def stopped_postgres(home: Path) -> None:
    (home / "postgres" / "global").mkdir(parents=True)
    (home / "postgres" / "global" / "pg_control").write_text("shut down")


def test_keeping_takes_database_and_files(home: Path, tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    stopped_postgres(home)
    (home / "data" / "filestore" / NAME).mkdir(parents=True)
    (home / "data" / "filestore" / NAME / "one").write_text("1")
    seed = tmp_path / "seeds" / "key"
    kept = keep(home, seed)
    assert (kept.returncode, kept.stdout.strip().isdecimal()) == (0, True)
    assert (seed / "filestore" / "one").read_text() == "1"


def test_keeping_without_files(home: Path, tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    stopped_postgres(home)
    assert keep(home, tmp_path / "seeds" / "key").returncode == 0
    assert not (tmp_path / "seeds" / "key" / "filestore").exists()


def test_a_database_that_runs_is_not_kept(home: Path, tmp_path: Path) -> None:
    stopped_postgres(home)
    (home / "postgres" / "postmaster.pid").write_text("1")
    assert keep(home, tmp_path / "seeds" / "key").returncode != 0
    assert not (tmp_path / "seeds").exists()


def test_a_database_that_is_started_meanwhile_is_not_kept(home: Path, tmp_path: Path) -> None:
    """Somebody went on beside a copy whose connection was cut: PostgreSQL ran, and may have stopped again."""
    stopped_postgres(home)
    programs = tmp_path / "programs"
    programs.mkdir()
    copying = f'#!/bin/sh\n/bin/cp "$@"\necho started > {home}/postgres/global/pg_control\n'
    (programs / "cp").write_text(copying)
    (programs / "cp").chmod(0o755)
    kept = keep(home, tmp_path / "seeds" / "key", path=f"{programs}:{os.environ['PATH']}")
    assert kept.returncode != 0
    assert list((tmp_path / "seeds").iterdir()) == []


@pytest.mark.parametrize("name", ["filestore", f"filestore/{NAME}"])
@pytest.mark.parametrize("target", ["etc", "nowhere"])
def test_keeping_refuses_links(home: Path, tmp_path: Path, name: str, target: str) -> None:
    (tmp_path / "seeds").mkdir()
    stopped_postgres(home)
    (tmp_path / "etc" / NAME).mkdir(parents=True)
    (home / "data" / name).parent.mkdir(exist_ok=True)
    (home / "data" / name).symlink_to(tmp_path / target)
    assert keep(home, tmp_path / "seeds" / "key").returncode != 0
    assert not (tmp_path / "seeds" / "key").exists()
