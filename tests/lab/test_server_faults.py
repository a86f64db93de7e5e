"""Faults that the lab makes on its servers: each really happens, and goes away again."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import paramiko
import pytest

from tests.lab.commands import LabError
from tests.lab.lab import Lab
from tests.lab.server import LabServer
from tests.lab.ssh_client import ask, connect

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def server(lab: Lab) -> Iterator[LabServer]:
    """A server for breaking."""
    server = lab.server("broken")
    yield server
    server.stop()


@pytest.fixture
def client(server: LabServer) -> Iterator[paramiko.SSHClient]:
    with connect(server, server.private_key) as client:
        yield client


def can_sign_in(server: LabServer) -> bool:
    with connect(server, server.private_key) as client:
        return ask(client, "echo yes") == "yes"


def test_cut_off_is_silence_for_old_and_new_connections(server: LabServer, client: paramiko.SSHClient) -> None:
    _, output, _ = client.exec_command("sleep 0.5; echo after the cut", timeout=30)
    server.cut_off()
    try:
        with pytest.raises(TimeoutError):
            socket.create_connection((server.address, 22), timeout=1.5)
        time.sleep(0.5)
        assert not output.channel.recv_ready()
    finally:
        server.reconnect()
    assert output.read().decode().strip() == "after the cut"
    assert can_sign_in(server)


def test_dropped_connections_end_at_once_and_new_ones_work(server: LabServer, client: paramiko.SSHClient) -> None:
    _, output, _ = client.exec_command("sleep 60", timeout=10)
    started = time.monotonic()
    server.drop_connections()
    assert output.read() == b""
    assert time.monotonic() - started < 5
    assert not client.get_transport().is_active()
    assert can_sign_in(server)


def test_restarted_sshd_keeps_sessions(server: LabServer, client: paramiko.SSHClient) -> None:
    server.restart_sshd()
    assert ask(client, "echo still here") == "still here"
    assert can_sign_in(server)


def test_changed_host_key_is_noticed(server: LabServer) -> None:
    old_key, old_fingerprint = server.host_key, server.host_key_fingerprint
    server.change_host_key()
    assert server.host_key != old_key
    assert server.host_key_fingerprint != old_fingerprint
    assert can_sign_in(server)
    connection = socket.create_connection((server.address, 22), timeout=5)
    with connection, paramiko.Transport(connection) as transport:
        transport.start_client(timeout=10)
        assert transport.get_remote_server_key().fingerprint == server.host_key_fingerprint


def test_full_disk_takes_no_byte_more_until_it_is_freed(server: LabServer) -> None:
    server.run(["sh", "-c", "mkdir -p /opt/oecsh && echo before > /opt/oecsh/file"])
    server.limit_disk(64)
    assert server.run(["cat", "/opt/oecsh/file"]).stdout == "before\n"
    write = ["dd", "if=/dev/zero", "of=/opt/oecsh/more", "bs=1M", "count=1", "conv=fsync"]
    server.fill_disk(leave_megabytes=8)
    server.run(write)
    server.run(["rm", "/opt/oecsh/more"])
    server.fill_disk()
    refused = server.run(write, check=False)
    assert "No space left" in refused.stderr
    server.free_disk()
    server.run(write)
    server.reboot()
    with pytest.raises(LabError, match="no limit"):
        server.fill_disk()


def test_full_disk_of_docker_refuses_an_image(server: LabServer) -> None:
    server.limit_disk(32, docker=True)
    bring = "head -c 40000000 /dev/urandom > /tmp/big && tar -C /tmp -c big | docker import - lab/big"
    refused = server.run(["sh", "-c", bring], check=False)
    assert "no space left" in refused.stderr.lower()
    server.reboot()
    server.run(["sh", "-c", bring])
    server.run(["docker", "rmi", "lab/big"])


def test_stopped_docker_comes_back(server: LabServer) -> None:
    server.stop_docker()
    assert server.run(["docker", "ps"], check=False).returncode != 0
    server.start_docker()
    server.run(["docker", "ps"])


def test_reboot_keeps_files_and_restarts_what_asks_for_it(server: LabServer) -> None:
    make = "mkdir -p /tmp/i/bin && cp /bin/busybox /tmp/i/bin && tar -C /tmp/i -c . | docker import - lab/busybox"
    server.run(["sh", "-c", make])
    sleep = ["lab/busybox", "/bin/busybox", "sleep", "1000"]
    server.run(["docker", "run", "-d", "--name", "stays", "--restart", "unless-stopped", *sleep])
    server.run(["docker", "run", "-d", "--name", "ends", *sleep])
    server.run(["sh", "-c", "echo kept > /opt/kept; touch /run/gone"])
    key = server.host_key
    server.reboot()
    assert server.host_key == key
    assert server.run(["cat", "/opt/kept"]).stdout == "kept\n"
    assert server.run(["ls", "/run/gone"], check=False).returncode != 0
    assert server.run(["docker", "ps", "--format", "{{.Names}}"]).stdout.split() == ["stays"]
    server.create()
    assert server.run(["docker", "ps", "--all", "--quiet"]).stdout == ""
    assert "lab/busybox" in server.run(["docker", "images"]).stdout
