"""The lab gets along with what killed sessions, stale marks and reboots leave behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.commands import LabError, execute, file_lock, wait_until
from tests.lab.lab import SLOTS, Lab
from tests.lab.paths import REPOSITORY, cache_directory
from tests.lab.processes import Daemon, ProcessMark
from tests.lab.server import LabServer

pytestmark = pytest.mark.lab

SESSION = """
import time
from tests.lab.lab import SLOTS, Lab
lab = Lab(SLOTS - 1)
server = lab.server("orphan")
lab.git.start(); lab.dns.start(); lab.acme.start(); lab.mail.start(); lab.private_registry.start()
make = "mkdir -p /tmp/i/bin && cp /bin/busybox /tmp/i/bin && tar -C /tmp/i -c . | docker import - lab/busybox"
server.run(["sh", "-c", make])
server.run("docker run -d --restart always --name old lab/busybox /bin/busybox sleep 1000".split())
server.run("docker network create old".split())
server.limit_disk(64)
server.run(["mkdir", "/opt/oecsh"])
server.cut_off()
print("ready", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def killed_slot() -> Iterator[int]:
    """The slot of a session that was killed in the middle of its work, everything of it still running."""
    command = [sys.executable, "-c", SESSION]
    # The last slot, one run of these tests at a time: nobody else takes it between the kill and what follows.
    with file_lock(cache_directory() / "lab" / "leftovers.lock"):
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as session:
            assert session.stdout is not None
            assert session.stdout.readline() == "ready\n"
            session.kill()
        yield SLOTS - 1
        with Lab(SLOTS - 1) as lab:
            lab.stop_servers()


def processes_of(lab: Lab) -> set[int]:
    """Every process of a slot: those of its servers, and its programs on this machine."""
    marks = [part.daemon.mark for part in lab.daemons] + [lab.git.sshd.daemon.mark]
    found = {mark.pid for mark in marks if mark is not None}
    for name, docker in lab.server_names().items():
        server = lab.known_server(name, docker=docker)
        found |= server.group.processes()
        mark = server.machine.mark
        if mark is not None:
            found.add(mark.pid)
    return found


def assert_usable(server: LabServer) -> None:
    assert server.run(["docker", "ps", "--all", "--quiet"]).stdout == ""
    assert "old" not in server.run(["docker", "network", "ls", "--format", "{{.Name}}"]).stdout.split()
    assert server.run(["ls", "/opt/oecsh"], check=False).returncode != 0
    execute(["bash", "-c", f"exec 3<>/dev/tcp/{server.address}/22"], timeout=5)


def test_session_killed_with_everything_still_running(killed_slot: int) -> None:
    with Lab(killed_slot) as lab:
        assert lab.known_server("orphan").is_running
        running = processes_of(lab)
        assert_usable(lab.server("orphan"))
        for part in lab.daemons:
            assert part.is_running
            part.start()
        lab.dns.add_zone("after.test", ["@ A 192.0.2.1"])
        assert lab.dns.lookup("after.test") == ["192.0.2.1"]
    assert not any(ProcessMark.of(pid) for pid in running)


def test_everything_killed_at_once(killed_slot: int) -> None:
    with Lab(killed_slot) as lab:
        for pid in processes_of(lab):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not processes_of(lab), timeout=10, what="all are dead")
        assert_usable(lab.server("orphan"))
        for part in lab.daemons:
            part.start()
            assert part.is_running


def test_namespaces_and_bridge_gone_and_marks_of_another_boot(killed_slot: int) -> None:
    """As after a reboot of this machine: files are there, nothing that lives in memory is."""
    with Lab(killed_slot) as lab:
        server = lab.known_server("orphan")
        server.machine.stop(grace=0)
        server.group.kill()
        execute(["ip", "link", "delete", lab.bridge.name])
        execute(["ip", "netns", "delete", server.network.namespace])
        marks = [*server.directory.glob("*.process"), *lab.directory.glob("*/*.process")]
        for file in marks:
            stale = json.loads(file.read_text()) | {"boot": "another boot", "pid": os.getpid()}
            Daemon(file.stem, file.parent).stop()
            file.write_text(json.dumps(stale))
    with Lab(killed_slot) as lab:
        assert_usable(lab.server("orphan"))
        for part in lab.daemons:
            assert not part.is_running
            part.start()


def test_creating_twice_is_harmless(lab: Lab) -> None:
    server = lab.server("twice")
    first = server.init_pid
    server.create()
    server.create()
    assert server.init_pid != first
    assert_usable(server)
    server.destroy()
    server.destroy()
    assert not server.is_running
    with pytest.raises(LabError, match="not running"):
        server.run(["true"])


def test_stale_mark_never_ends_somebody_elses_process(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "1000"]) as innocent:
        try:
            daemon = Daemon("stale", tmp_path)
            mark = ProcessMark.of(innocent.pid)
            assert mark is not None
            wrong = {"pid": mark.pid, "started": mark.started + 1, "boot": mark.boot}
            for text in (json.dumps(wrong), "", "{}", "[1]", '{"pid": "x"}'):
                (tmp_path / "stale.process").write_text(text)
                assert daemon.mark is None
                daemon.stop()
            assert innocent.poll() is None
        finally:
            innocent.kill()


def test_two_sessions_get_a_slot_each(lab: Lab) -> None:
    with Lab() as other:
        assert other.slot != lab.slot
        assert other.address != lab.address
        with pytest.raises(LabError, match="in use"):
            Lab(lab.slot)
