"""Files are written as root into folders of which one is Odoo's, whose code is the customer's: the real script, with
real links."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from apps.environments.render_specification import Image
from apps.environments.runtime_files import WRITE, Entry, _archive, odoo_entries
from tests.environments.specifications import specification

OWNER = Image("odoo", os.getuid(), os.getgid())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "environments" / specification().identifier


def write(home: Path, *inside: tuple[str, int]) -> subprocess.CompletedProcess[bytes]:
    home.parent.mkdir(exist_ok=True)
    entries = [Entry("", 0o711), Entry("config", 0o711), Entry("data", 0o750), Entry("config/a", 0o600, None, "text")]
    arguments = [str(home.parent), home.name]
    for path, mode in inside:
        arguments += [path, f"{OWNER.uid}:{OWNER.gid}", f"{mode:o}"]
    command = ["sh", "-c", WRITE, "sh", *arguments]
    archive = _archive(specification(), entries)
    return subprocess.run(command, input=archive, capture_output=True, timeout=10, check=False)


def test_folders_and_files_with_their_modes(home: Path) -> None:
    for _ in range(2):
        assert write(home, ("filestore", 0o750), ("sessions", 0o700)).returncode == 0
    assert (home / "config" / "a").read_text() == "text"
    assert (home / "data" / "filestore").stat().st_mode & 0o777 == 0o750
    assert (home / "data" / "sessions").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_a_link_in_the_place_of_a_folder_is_replaced_not_followed(home: Path, tmp_path: Path, target: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    assert write(home).returncode == 0
    (home / "data" / "filestore").symlink_to(tmp_path / target)
    assert write(home, ("filestore", 0o750)).returncode == 0
    assert elsewhere.stat().st_mode & 0o777 == 0o755
    assert not (home / "data" / "filestore").is_symlink()
    assert (home / "data" / "filestore").is_dir()


def test_a_file_in_the_place_of_a_folder_is_told(home: Path) -> None:
    assert write(home).returncode == 0
    (home / "data" / "filestore").write_text("mine")
    assert write(home, ("filestore", 0o750)).returncode != 0
    assert (home / "data" / "filestore").read_text() == "mine"


def test_what_is_in_odoos_folder_is_never_in_the_archive() -> None:
    found = specification()
    inside = [entry.path for entry in odoo_entries(found) if entry.path.startswith("data/")]
    assert inside == ["data/filestore", "data/sessions"]
    assert all(entry.content is None for entry in odoo_entries(found) if entry.path in inside)
