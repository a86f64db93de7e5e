"""Files on a server: whole or not at all, with their rights, and a clear word where it does not work."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.core.exceptions import Problem
from apps.servers.host import Host
from tests.lab.server import LabServer

pytestmark = pytest.mark.lab


def test_files_are_written_whole_with_mode_and_owner(host: Host, lab_server: LabServer) -> None:
    host.files.make_directory("/opt/files/deep", 0o750, (101, 101))
    host.files.write("/opt/files/deep/secret", "one", 0o600, (101, 102))
    host.files.write("/opt/files/deep/secret", b"two\0", 0o640, (101, 102))
    assert host.files.read("/opt/files/deep/secret") == b"two\0"
    seen = lab_server.run(["stat", "-c", "%a %u %g", "/opt/files/deep", "/opt/files/deep/secret"]).stdout
    assert seen.splitlines() == ["750 101 101", "640 101 102"]
    assert host.files.list("/opt/files/deep") == ["secret"], "nothing is left aside"


def test_a_reader_never_sees_half_a_file(host: Host, endpoint: Callable, lab_server: LabServer) -> None:
    host.files.write("/opt/whole", "a" * 300_000)
    other = Host(endpoint(lab_server))
    seen: set[str] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            content = other.files.read("/opt/whole").decode()
            seen.add(content[0] + content[-1] + str(len(content)))

    reader = threading.Thread(target=look)
    reader.start()
    for letter in "bcdefgh":
        host.files.write("/opt/whole", letter * 300_000)
    done.set()
    reader.join()
    other.close()
    assert len(seen) > 1
    assert all(text[0] == text[1] and text[2:] == "300000" for text in seen)


def test_writing_again_only_what_changed(host: Host) -> None:
    assert host.files.write_if_changed("/opt/again", "x", 0o644)
    assert not host.files.write_if_changed("/opt/again", "x", 0o644)
    assert host.files.write_if_changed("/opt/again", "x", 0o600)
    assert host.files.write_if_changed("/opt/again", "y", 0o600)


def test_a_file_that_is_not_there(host: Host) -> None:
    assert not host.files.exists("/opt/not-there")
    assert host.files.remove("/opt/not-there") is False
    with pytest.raises(Problem) as caught:
        host.files.read("/opt/not-there")
    assert caught.value.code == "servers.file_not_found"


def test_a_folder_of_the_kernel_reads_as_well(host: Host) -> None:
    assert host.files.read("/proc/net/route").startswith(b"Iface")


@pytest.mark.parametrize(
    "path", ["/", "/opt", "/opt/oecsh", "/opt/oecsh/envs", "/opt/oecsh/envs/x/../../..", "/etc/x/y"]
)
def test_a_wrong_path_is_never_removed(host: Host, path: str) -> None:
    with pytest.raises(ValueError, match="not to be removed"):
        host.files.remove_tree(path)


def test_a_full_disk_is_said_so_and_the_old_file_stays(second_lab_server: LabServer, endpoint: Callable) -> None:
    second_lab_server.limit_disk(16)
    host = Host(endpoint(second_lab_server))
    try:
        host.files.write("/opt/kept", "before")
        second_lab_server.fill_disk()
        with pytest.raises(Problem) as caught:
            host.files.write("/opt/kept", "x" * 5_000_000)
        assert caught.value.code == "servers.disk_full"
        assert host.files.read("/opt/kept") == b"before"
        assert [name for name in host.files.list("/opt") if name.endswith(".part")] == []
    finally:
        host.close()
        second_lab_server.reboot()


def test_a_folder_arrives_whole(host: Host, tmp_path: Path, lab_server: LabServer) -> None:
    (tmp_path / "module/static").mkdir(parents=True)
    (tmp_path / "module/__init__.py").write_text("x")
    (tmp_path / "module/run.sh").write_text("#!/bin/sh")
    (tmp_path / "module/run.sh").chmod(0o755)
    (tmp_path / "module/ünï €.txt").write_text("names")
    (tmp_path / "module/static/link").symlink_to("/etc/shadow")
    target = "/opt/oecsh/platform/tree"
    host.files.upload_tree(tmp_path, target, owner=(101, 101))
    host.files.upload_tree(tmp_path, target, owner=(101, 101))
    assert host.files.list(target) == ["module"]
    assert host.files.list(f"{target}/module") == ["__init__.py", "run.sh", "static", "ünï €.txt"]
    seen = lab_server.run(["stat", "-c", "%a %u %F", f"{target}/module/run.sh", f"{target}/module/static/link"]).stdout
    assert seen.splitlines() == ["755 101 regular file", "777 101 symbolic link"]
    assert host.files.list("/opt/oecsh/platform") == ["tree"]


def test_an_upload_that_fails_leaves_nothing(host: Host, tmp_path: Path, lab_server: LabServer) -> None:
    (tmp_path / "file").write_text("x")

    class Run:
        def check(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        host.files.upload_tree(tmp_path, "/opt/oecsh/platform/broken", run=Run())
    assert lab_server.run(["find", "/opt/oecsh/platform", "-name", "*broken*"]).stdout == ""


def test_large_files_are_not_slow(host: Host, tmp_path: Path) -> None:
    """Sanity, not a benchmark: the traps on this way cost a factor of a hundred."""
    data = os.urandom(20_000_000)
    begun = time.monotonic()
    host.files.write("/opt/large", data)
    assert host.files.read("/opt/large", largest=len(data)) == data
    (tmp_path / "large").write_bytes(data)
    host.files.upload_tree(tmp_path, "/opt/oecsh/platform/large")
    assert time.monotonic() - begun < 20
    assert stat.S_IMODE(host.files.status("/opt/large").st_mode) == 0o600
    host.files.remove("/opt/large")
