"""A server that sends without end: what is kept of it here has a limit, and a clear word tells what is wrong."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import paramiko
import pytest
import urllib3
from paramiko.common import cMSG_IGNORE

from apps.core.exceptions import Problem
from apps.servers.host import ConnectionLost, Host, commands, docker_answers
from apps.servers.host.connection import scan_host_key
from apps.servers.host.files import MOST_NAMES
from apps.servers.host.sftp import LARGEST_FILE, LARGEST_MESSAGE
from apps.servers.host.transport import LARGEST_GREETING, LARGEST_PACKET
from tests.servers.peer import Handler, answer, http, number, serving, sftp, text

HANDLE, DATA, NAME, ATTRIBUTES = bytes([102]), bytes([103]), bytes([104]), bytes([105])
OPEN, READ, FSTAT, OPENDIR, READDIR = 3, 5, 8, 11, 12
OK = bytes([101]) + number(0) + text(b"") + text(b"")


class Log:
    """An operation's run, as far as commands see it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, line: str) -> None:
        self.lines.append(line)

    def check(self) -> None:
        pass


@contextlib.contextmanager
def host_of(**handlers: Handler) -> Iterator[Host]:
    with serving(**handlers) as peer:
        host = Host(peer.endpoint())
        try:
            yield host
        finally:
            host.close()


def test_an_honest_peer_is_understood() -> None:
    """Otherwise every refusal below would prove nothing."""
    with host_of(command=lambda channel: answer(channel, b"fine\n", 3), files=sftp(one_file(b"x" * 200_000))) as host:
        assert host.run(["true"], check=False).stdout == "fine\n"
        assert host.files.read("/x") == b"x" * 200_000


def test_a_connection_that_is_cut_while_signing_in_says_nothing_about_the_key() -> None:
    with serving(cuts_sign_in=True) as peer, pytest.raises(ConnectionLost):
        Host(peer.endpoint())


def test_output_without_end_is_cut() -> None:
    def shout(channel: paramiko.Channel) -> None:
        for _ in range(20):
            channel.sendall(b"x" * 1024 * 1024)
            channel.sendall_stderr(b"y" * 1024 * 1024)
        answer(channel, b"\nlast\n")

    log = Log()
    with host_of(command=shout) as host:
        result = host.run(["anything"], run=log)
    assert len(result.stdout) == len(result.stderr) == commands.LARGEST_OUTPUT
    assert sorted(len(line) for line in log.lines) == [4, commands.LONGEST_LINE, commands.LONGEST_LINE]


def test_words_of_a_failure_are_cut() -> None:
    with (
        host_of(command=lambda channel: answer(channel, b"x" * 5_000_000, 1)) as host,
        pytest.raises(Problem) as caught,
    ):
        host.run(["anything"])
    assert caught.value.code == "servers.command_failed"
    assert len(caught.value.what_to_do) < 2000


def test_what_a_command_says_while_it_is_fed_is_cut() -> None:
    def complain(channel: paramiko.Channel) -> None:
        for _ in range(30):
            channel.sendall_stderr(b"y" * 1024 * 1024)
        channel.sendall_stderr(b"\nthe reason\n")
        channel.send_exit_status(2)
        channel.close()

    with host_of(command=complain) as host, pytest.raises(Problem) as caught, host.stream_into(["tar"]) as stream:
        stream.write(b"data")
    assert caught.value.what_to_do.endswith("the reason")
    assert len(caught.value.result.stderr) < 20_000


def test_a_server_that_does_not_wait_is_left() -> None:
    """It sends although nobody reads, more than the window allows."""

    def push(channel: paramiko.Channel) -> None:
        channel.out_window_size = 1 << 30
        for _ in range(100):
            channel.sendall(b"x" * 1024 * 1024)

    with host_of(command=push) as host:
        channel = commands.open_session(host.transport, host.address)
        channel.exec_command("anything")
        wait_for(lambda: not host.transport.is_active())
        assert len(channel.in_buffer) <= channel.in_window_size + LARGEST_PACKET
        with pytest.raises(ConnectionLost):
            host.run(["anything"])


def test_a_packet_of_any_size_is_not_read() -> None:
    def push(channel: paramiko.Channel) -> None:
        message = paramiko.Message()
        message.add_byte(cMSG_IGNORE)
        message.add_string(b"x" * 2 * LARGEST_PACKET)
        channel.get_transport()._send_message(message)

    with host_of(command=push) as host, pytest.raises(ConnectionLost) as caught:
        host.run(["anything"])
    assert "bytes was announced" in str(host.transport.get_exception())
    assert caught.value.code == "servers.connection_lost"


def test_a_greeting_without_end() -> None:
    sent = 0
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            nonlocal sent
            connection = listener.accept()[0]
            with connection, contextlib.suppress(OSError):
                while True:
                    sent += connection.send(b"x" * 1000)

        threading.Thread(target=talk, daemon=True).start()
        with pytest.raises(Problem) as caught:
            scan_host_key("127.0.0.1", listener.getsockname()[1])
    assert caught.value.code == "servers.ssh_silent"
    assert sent < 100 * LARGEST_GREETING


def one_file(content: bytes, size: int | None = None) -> Callable[[int, bytes], bytes]:
    """A service with this one file, which says that it has `size` bytes."""

    def reply(kind: int, question: bytes) -> bytes:
        if kind in (OPEN, OPENDIR):
            return HANDLE + text(b"h")
        if kind == FSTAT:
            return ATTRIBUTES + number(1) + (len(content) if size is None else size).to_bytes(8, "big")
        if kind == READ:
            offset, length = int.from_bytes(question[-12:-4], "big"), int.from_bytes(question[-4:], "big")
            piece = content[offset : offset + length] if size is None else content
            return DATA + text(piece) if piece else bytes([101]) + number(1) + text(b"") + text(b"")
        return OK

    return reply


@pytest.mark.parametrize("size", [0, 1, 70_000, LARGEST_FILE, 1 << 40])
def test_a_file_without_end_is_refused(size: int) -> None:
    with host_of(files=sftp(one_file(b"x" * 32768, size))) as host, pytest.raises(Problem) as caught:
        host.files.read("/opt/oecsh/x")
    assert caught.value.code == "servers.file_too_large"
    assert "/opt/oecsh/x" in caught.value.title


def test_a_caller_may_ask_for_less() -> None:
    with host_of(files=sftp(one_file(b"x" * 100))) as host:
        assert host.files.read("/x", largest=100) == b"x" * 100
        with pytest.raises(Problem):
            host.files.read("/x", largest=99)


def test_an_answer_about_a_file_that_is_announced_too_long() -> None:
    def announce(channel: paramiko.Channel) -> None:
        channel.recv(9)
        channel.sendall(number(5) + bytes([2]) + number(3))
        channel.recv(1000)
        channel.sendall(number(2 * LARGEST_MESSAGE) + b"x" * 1000)
        channel.recv(1000)

    with host_of(files=announce) as host, pytest.raises(ConnectionLost):
        host.files.read("/x")


def test_a_folder_without_end_is_refused() -> None:
    def reply(kind: int, question: bytes) -> bytes:
        if kind == READDIR:
            return NAME + number(1000) + (text(b"name") + text(b"") + number(0)) * 1000
        return one_file(b"")(kind, question)

    with host_of(files=sftp(reply)) as host, pytest.raises(Problem) as caught:
        host.files.list("/x")
    assert caught.value.code == "servers.too_many_files"
    assert str(MOST_NAMES) in caught.value.title


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
RAW = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\r\n"
MEGABYTE = b"100000\r\n" + b" " * 0x100000 + b"\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_an_engine_s_answer_is_understood() -> None:
    def reply(path: str, channel: paramiko.Channel) -> None:
        events = [{"status": "Pulling", "id": "a"}, {"status": "Done"}]
        if "/images/create" in path:
            channel.sendall(CHUNKED + b"".join(chunk(json.dumps(event).encode() + b"\r\n") for event in events))
            channel.sendall(chunk(b'{"half"') + chunk(b': "x"}') + chunk(b""))
        else:
            channel.sendall(CHUNKED + chunk(b"[") + chunk(b"]") + chunk(b""))

    with host_of(docker=http(reply)) as host:
        assert host.docker.api.containers() == []
        assert host.docker.api.containers() == [], "the channel serves again"
        found = list(host.docker.api.pull("x", stream=True, decode=True))
    assert found == [{"status": "Pulling", "id": "a"}, {"status": "Done"}, {"half": "x"}]


def test_an_engine_that_answers_without_end() -> None:
    def reply(path: str, channel: paramiko.Channel) -> None:
        channel.sendall(CHUNKED)
        while True:
            channel.sendall(MEGABYTE)

    with host_of(docker=http(reply)) as host:
        for call in (host.docker.api.containers, lambda: list(host.docker.api.pull("x", stream=True, decode=True))):
            with pytest.raises(Problem) as caught:
                call()
            assert caught.value.code == "servers.docker_talks"


def test_the_length_of_a_chunk_without_end() -> None:
    """The library would read the line that tells the length, however long it is."""

    def reply(path: str, channel: paramiko.Channel) -> None:
        channel.sendall(CHUNKED.replace(b"Type: application/json", b"Type: application/x-tar"))
        channel.sendall(chunk(b"tar") + b"1" * 1_000_000)
        channel.close()

    with host_of(docker=http(reply)) as host:
        answer, _ = host.docker.api.get_archive("a", "/etc/passwd")
        assert next(answer) == b"tar"
        with pytest.raises((Problem, urllib3.exceptions.HTTPError)):
            next(answer)
        with pytest.raises(ConnectionLost):
            host.docker.api.containers()


@pytest.mark.parametrize("line", [b"nonsense\n", b"[" * 100_000 + b"\n", b'"text"\n', b"\xff\n"])
def test_events_that_are_none(line: bytes) -> None:
    with host_of(docker=http(lambda path, channel: channel.sendall(CHUNKED + chunk(line)))) as host:
        with pytest.raises(Problem) as caught:
            list(host.docker.api.pull("x", stream=True, decode=True))
        assert caught.value.code == "servers.docker_unreadable"


def test_a_frame_of_a_log_that_is_announced_too_long() -> None:
    def reply(path: str, channel: paramiko.Channel) -> None:
        if path.split("?")[0].endswith("/json"):
            channel.sendall(CHUNKED + chunk(b'{"Id": "a", "Config": {"Tty": false}}') + chunk(b""))
        else:
            channel.sendall(RAW + bytes([1, 0, 0, 0]) + number(3) + b"one")
            channel.sendall(bytes([1, 0, 0, 0]) + number(docker_answers.LARGEST_FRAME + 1))
            channel.close()

    with host_of(docker=http(reply)) as host:
        lines = iter(host.docker.api.logs("a", stream=True))
        assert next(lines) == b"one"
        with pytest.raises(Problem) as caught:
            next(lines)
    assert caught.value.code == "servers.docker_talks"


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
