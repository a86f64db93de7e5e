"""A small SSH server on loopback that says what a test tells it to say, and keeps to no rule that it is not told to."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import paramiko

from apps.servers import keys
from apps.servers.host.connection import Endpoint

Handler = Callable[[paramiko.Channel], None]
_GONE = (OSError, EOFError, paramiko.SSHException)


@dataclass
class Peer(paramiko.ServerInterface):
    """What it does with commands, files and the socket of Docker. Everybody is let in, unless it `cuts_sign_in`."""

    command: Handler = lambda channel: None
    files: Handler = lambda channel: None
    docker: Handler = lambda channel: None
    cuts_sign_in: bool = False
    connection: socket.socket | None = None
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    pair: keys.KeyPair = field(default_factory=keys.generate)
    own: keys.KeyPair = field(default_factory=keys.generate)
    kinds: dict[int, str] = field(default_factory=dict)

    def endpoint(self) -> Endpoint:
        port = self.listener.getsockname()[1]
        return Endpoint("127.0.0.1", port, "root", key=self.pair, host_key=self.own.public_key)

    def serve(self) -> None:
        """Until the listener is closed; a client that leaves in the middle of its greeting ends nothing."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(*_GONE):
                self.connection = connection
                transport = paramiko.Transport(connection)
                transport.add_server_key(self.own.for_paramiko())
                transport.start_server(server=self)
                threading.Thread(target=self.follow, args=[transport], daemon=True).start()

    def follow(self, transport: paramiko.Transport) -> None:
        """Sockets of Docker are served as they are opened; sessions when they say what they want."""
        while transport.is_active():
            channel = transport.accept(0.2)
            if channel is not None and self.kinds.get(channel.chanid) != "session":
                self.start(self.docker, channel)

    def start(self, handler: Handler, channel: paramiko.Channel) -> None:
        def work() -> None:
            time.sleep(0.05)  # the answer to the request itself goes first
            with contextlib.suppress(*_GONE):
                handler(channel)

        threading.Thread(target=work, daemon=True).start()

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        if self.cuts_sign_in and self.connection:
            self.connection.shutdown(socket.SHUT_RDWR)
        return paramiko.AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self.kinds[chanid] = kind
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        asks_who = b"noecsh %s" in command
        self.start((lambda channel: answer(channel, b"\noecsh 0 \n")) if asks_who else self.command, channel)
        return True

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        self.start(self.files, channel)
        return name == "sftp"


@contextlib.contextmanager
def serving(*, cuts_sign_in: bool = False, **handlers: Handler) -> Iterator[Peer]:
    """`with serving(command=…) as peer`."""
    peer = Peer(cuts_sign_in=cuts_sign_in, **handlers)
    with peer.listener:
        threading.Thread(target=peer.serve, daemon=True).start()
        yield peer


def answer(channel: paramiko.Channel, output: bytes, exit_code: int = 0) -> None:
    """A command that prints and ends."""
    channel.sendall(output)
    channel.send_exit_status(exit_code)
    channel.close()


def number(value: int) -> bytes:
    return struct.pack(">I", value)


def text(value: bytes) -> bytes:
    return number(len(value)) + value


def sftp(reply: Callable[[int, bytes], bytes]) -> Handler:
    """An SFTP service (draft-ietf-secsh-filexfer-02): `reply(kind of question, its id)` is the answer's kind and all
    that follows the id."""

    def serve(channel: paramiko.Channel) -> None:
        reader = channel.makefile("rb")
        while header := reader.read(5):
            size, kind = struct.unpack(">IB", header)
            question = reader.read(size - 1)
            if kind == 1:
                channel.sendall(number(5) + bytes([2]) + number(3))
                continue
            said = reply(kind, question)
            channel.sendall(number(len(said) + 4) + said[:1] + question[:4] + said[1:])

    return serve


def http(reply: Callable[[str, paramiko.Channel], None]) -> Handler:
    """An engine: `reply(path, channel)` writes the whole answer."""

    def serve(channel: paramiko.Channel) -> None:
        reader = channel.makefile("rb")
        while line := reader.readline():
            while reader.readline().strip():
                pass
            path = line.split()[1].decode()
            if path == "/version":
                body = b'{"ApiVersion": "1.41", "Version": "20.10"}'
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                channel.sendall(head.encode() + body)
            else:
                reply(path, channel)

    return serve
