"""Every way in which a connection can fail has its own clear word, and none of them hangs."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paramiko
import pytest

from apps.core.exceptions import Problem, RetryableError
from apps.servers import keys
from apps.servers.host import Host
from apps.servers.host.connection import Endpoint, scan_host_key
from tests.lab.server import LabServer

pytestmark = pytest.mark.lab


def problem_of(endpoint: Endpoint) -> Problem:
    """The failure of connecting; fails the test when it works, or takes longer than the time-outs allow."""
    begun = time.monotonic()
    with pytest.raises(Problem) as caught:
        Host(endpoint)
    assert time.monotonic() - begun < 30
    return caught.value


@contextmanager
def answering(reply: bytes | None) -> Iterator[int]:
    """A service on loopback that says `reply` to everybody, or nothing and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    if reply is not None:
                        connection.sendall(reply)
                        connection.recv(1000)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def test_a_name_that_does_not_exist(lab_server: LabServer, endpoint: Callable[..., Endpoint]) -> None:
    problem = problem_of(endpoint(lab_server, address="no-such-host.invalid"))
    assert problem.code == "core.address_unknown"


def test_an_address_that_is_not_allowed(lab_server, endpoint, settings) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = []
    problem = problem_of(endpoint(lab_server))
    assert problem.code == "core.address_not_allowed"
    assert lab_server.address in problem.title


def test_a_closed_port(lab_server, endpoint) -> None:
    problem = problem_of(endpoint(lab_server, port=9))
    assert problem.code == "servers.port_closed"
    assert isinstance(problem, RetryableError), "sshd may be restarting"


def test_a_server_that_does_not_answer(lab_server, endpoint) -> None:
    lab_server.cut_off()
    try:
        problem = problem_of(endpoint(lab_server))
    finally:
        lab_server.reconnect()
    assert problem.code in ("servers.no_answer", "servers.no_route")
    assert isinstance(problem, RetryableError)


def test_something_else_than_ssh(lab_server, endpoint) -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200) as port:
        problem = problem_of(endpoint(lab_server, address="127.0.0.1", port=port))
    assert problem.code == "servers.not_ssh"
    assert not isinstance(problem, RetryableError)


def test_a_service_that_hangs_up(lab_server, endpoint) -> None:
    with answering(None) as port:
        problem = problem_of(endpoint(lab_server, address="127.0.0.1", port=port))
    assert problem.code in ("servers.ssh_silent", "servers.connection_lost")
    assert isinstance(problem, RetryableError)


def test_a_key_that_is_not_authorized(lab_server, endpoint) -> None:
    problem = problem_of(endpoint(lab_server, key=keys.generate()))
    assert problem.code == "servers.key_refused"
    assert not isinstance(problem, RetryableError)
    assert "root" in problem.title


def test_a_user_that_does_not_exist(lab_server, endpoint) -> None:
    assert problem_of(endpoint(lab_server, user="nobody-here")).code == "servers.key_refused"


def test_another_host_key_shows_both_fingerprints(lab_server, endpoint) -> None:
    pinned = keys.generate().public_key
    problem = problem_of(endpoint(lab_server, host_key=pinned))
    assert problem.code == "servers.host_key_changed"
    assert keys.fingerprint(pinned) in problem.what_to_do
    assert lab_server.host_key_fingerprint in problem.what_to_do
    assert not isinstance(problem, RetryableError)


def test_a_host_key_of_a_kind_that_the_server_no_longer_has(lab_server, endpoint) -> None:
    rsa = "ssh-rsa " + "AAAAB3NzaC1yc2EAAAADAQABAAABAQ=="
    problem = problem_of(endpoint(lab_server, host_key=rsa))
    assert problem.code == "servers.host_key_changed"
    assert lab_server.host_key_fingerprint in problem.what_to_do


class _Impostor(paramiko.ServerInterface):
    """An SSH server that remembers who tried to sign in."""

    def __init__(self) -> None:
        self.attempts: list[str] = []

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.attempts.append(username)
        return paramiko.AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        self.attempts.append(username)
        return "publickey"


def impostor(key: paramiko.PKey) -> tuple[_Impostor, int, socket.socket]:
    """Starts one with this host key; returns it, its port, and what to close."""
    listener = socket.create_server(("127.0.0.1", 0))
    interface = _Impostor()

    def serve() -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            while True:
                transport = paramiko.Transport(listener.accept()[0])
                transport.add_server_key(key)
                transport.start_server(server=interface)

    threading.Thread(target=serve, daemon=True).start()
    return interface, listener.getsockname()[1], listener


def test_nobody_signs_in_at_a_server_with_another_host_key(lab_server, endpoint) -> None:
    own = keys.generate()
    interface, port, listener = impostor(own.for_paramiko())
    with listener:
        known = endpoint(lab_server, address="127.0.0.1", port=port, host_key=own.public_key)
        with pytest.raises(Problem):
            Host(known)
        assert interface.attempts == ["root"], "with its own key pinned, this server is trusted"
        interface.attempts.clear()
        problem = problem_of(endpoint(lab_server, address="127.0.0.1", port=port))
        assert problem.code == "servers.host_key_changed"
        assert interface.attempts == []


def test_the_scan_returns_the_server_s_own_key(lab_server) -> None:
    found = scan_host_key(lab_server.address, lab_server.port)
    assert found == lab_server.host_key
    assert keys.fingerprint(found) == lab_server.host_key_fingerprint


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_every_kind_of_key_opens_the_door(lab_server, endpoint, tmp_path, kind: str) -> None:
    file = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "a passphrase", "-f", file], check=True)
    lab_server.authorize((tmp_path / "key.pub").read_text())
    host = Host(endpoint(lab_server, key=keys.parse(file.read_text(), "a passphrase")))
    try:
        assert host.run(["id", "-u"]).stdout == "0\n"
    finally:
        host.close()


def test_a_user_without_sudo(lab_server, endpoint) -> None:
    lab_server.add_user("carol")
    host = Host(endpoint(lab_server, user="carol"))
    try:
        with pytest.raises(Problem) as caught:
            host.run(["id", "-u"])
        assert caught.value.code == "servers.no_sudo"
        assert "carol" in caught.value.what_to_do
        with pytest.raises(Problem) as caught:
            host.docker  # noqa: B018
        assert caught.value.code == "servers.docker_denied"
    finally:
        host.close()


def test_a_user_with_sudo_has_the_rights_of_root(lab_server, endpoint) -> None:
    lab_server.add_user("dora", sudo=True)
    host = Host(endpoint(lab_server, user="dora"))
    try:
        assert host.run(["id", "-u"]).stdout == "0\n"
        host.files.write("/opt/by-dora", "x", 0o640)
        assert lab_server.run(["stat", "-c", "%U %a", "/opt/by-dora"]).stdout == "root 640\n"
        assert host.docker.ping()
        assert host.docker.info()["ServerVersion"]
    finally:
        host.close()


def test_a_user_without_a_shell(lab_server, endpoint) -> None:
    lab_server.add_user("frank")
    lab_server.run(["usermod", "--shell", "/usr/sbin/nologin", "frank"])
    problem = problem_of(endpoint(lab_server, user="frank"))
    assert problem.code == "servers.no_shell"
    assert "not available" in problem.what_to_do


def test_a_login_shell_that_talks(lab_server, endpoint) -> None:
    """It would break file transfer and Docker's protocol later, with strange words."""
    lab_server.add_user("grace", sudo=True)
    lab_server.run(["sh", "-c", "echo 'echo Welcome, 0 new mails' > ~grace/.bashrc"])
    problem = problem_of(endpoint(lab_server, user="grace"))
    assert problem.code == "servers.shell_talks"
    assert "Welcome, 0 new mails" in problem.title


def test_no_docker_on_the_server(bare_lab_server, endpoint) -> None:
    host = Host(endpoint(bare_lab_server))
    try:
        if bare_lab_server.run(["sh", "-c", "command -v docker"], check=False).returncode == 0:
            bare_lab_server.create()
            host.close()
            host = Host(endpoint(bare_lab_server))
        with pytest.raises(Problem) as caught:
            host.docker  # noqa: B018
        assert caught.value.code == "servers.docker_missing"
    finally:
        host.close()


def test_docker_that_is_stopped(second_lab_server, endpoint) -> None:
    host = Host(endpoint(second_lab_server))
    second_lab_server.stop_docker()
    try:
        with pytest.raises(Problem) as caught:
            host.docker  # noqa: B018
        assert caught.value.code == "servers.docker_not_running"
        second_lab_server.start_docker()
        assert host.docker.ping(), "the same connection finds it once it runs"
    finally:
        host.close()
        second_lab_server.start_docker()
