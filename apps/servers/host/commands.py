"""Commands on a server. Arguments are lists from end to end; the one string that SSH asks for is made here."""

from __future__ import annotations

import contextlib
import shlex
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import Any, Protocol

import paramiko

from apps.core.exceptions import Problem
from apps.servers.host.exceptions import CommandResult, ConnectionLost
from apps.servers.host.transport import Transport

LARGEST_OUTPUT = 16 * 1024 * 1024
# What is handed on of one line; the log keeps less. In bytes.
LONGEST_LINE = 64 * 1024
CHUNK = 64 * 1024
# How often a waiting command looks whether it was cancelled, in seconds.
TICK = 0.2
TIMED_OUT = 124
# Pieces of the error output that are taken before it is looked again whether to go on.
_PIECES = 32


class Run(Protocol):
    """What commands need of an operation's run: its log, and the question whether to go on."""

    def info(self, text: str) -> None: ...

    def check(self) -> None: ...


def command_line(arguments: Sequence[object]) -> str:
    """The string for SSH: each argument quoted once, for the user's login shell. Raises ValueError on NUL."""
    words = [str(argument) for argument in arguments]
    if any("\0" in word for word in words):
        raise ValueError("An argument holds a NUL character.")
    return shlex.join(words)


def open_session(transport: Transport, address: str) -> paramiko.Channel:
    """A session channel; raises ConnectionLost, or Problem `servers.too_many_channels`."""
    try:
        return transport.open_session(timeout=transport.channel_timeout)
    except paramiko.ChannelException as error:
        raise Problem("servers.too_many_channels", address=address) from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise ConnectionLost("servers.connection_lost", address=address, reason=error) from error


def execute(
    transport: Transport,
    address: str,
    arguments: Sequence[object],
    *,
    prefix: Sequence[str] = (),
    data: str | bytes | None = None,
    timeout: float = 60,
    run: Run | None = None,
) -> CommandResult:
    """Runs a command to its end; `timeout` in seconds also ends it on the server. With `run`, its lines go to the log
    as they come. `prefix` is what raises its rights. Raises ConnectionLost, and Problem `servers.command_timed_out`."""
    program = program_name(arguments)
    line = command_line([*prefix, "timeout", str(max(1, round(timeout))), *arguments])
    channel = open_session(transport, address)
    with contextlib.closing(channel), _lost(address):
        channel.settimeout(TICK)
        channel.exec_command(line)
        writer = _write_in_background(channel, data)
        collected = _Output(channel, run.info if run else None)
        deadline = time.monotonic() + timeout + 10
        while not collected.read():
            if run:
                run.check()
            if time.monotonic() > deadline:
                raise Problem("servers.command_timed_out", command=program, seconds=round(timeout))
        writer.join()
        exit_code = _exit_code(channel, deadline)
    if exit_code == TIMED_OUT:
        raise Problem("servers.command_timed_out", command=program, seconds=round(timeout))
    return CommandResult(exit_code, *collected.texts())


def program_name(arguments: Sequence[object]) -> str:
    """What a command is called in messages: the program alone, for arguments may hold what should not be shown."""
    return PurePath(str(arguments[0])).name


@contextlib.contextmanager
def _lost(address: str) -> Iterator[None]:
    try:
        yield
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise ConnectionLost("servers.connection_lost", address=address, reason=error) from error


def _exit_code(channel: paramiko.Channel, deadline: float) -> int:
    channel.status_event.wait(max(1, deadline - time.monotonic()))
    if not channel.exit_status_ready() or channel.exit_status == -1:
        transport = channel.get_transport()
        if transport is None or not transport.is_active() or not channel.exit_status_ready():
            raise EOFError("the command's end was never told")
        # Ended by a signal: shells write that as 128 + number; SSH tells the name only.
        return 128
    return channel.exit_status


def _write_in_background(channel: paramiko.Channel, data: str | bytes | None) -> threading.Thread:
    """Writes from a thread: a command which prints before it has read everything would otherwise block both sides."""
    content = data.encode() if isinstance(data, str) else data or b""

    def write() -> None:
        # A command may end without reading its input; what matters then is its exit code.
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            view = memoryview(content)
            while view:
                try:
                    view = view[channel.send(bytes(view[:CHUNK])) :]
                except TimeoutError:
                    if channel.closed:
                        return
            channel.shutdown_write()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


class _Output:
    """Collects what a command prints, and hands whole lines on."""

    def __init__(self, channel: paramiko.Channel, on_line: Callable[[str], Any] | None) -> None:
        self.channel = channel
        self.on_line = on_line
        self.collected = {"stdout": bytearray(), "stderr": bytearray()}
        self.pending = {"stdout": b"", "stderr": b""}

    def read(self) -> bool:
        """Takes what is there, waiting a tick for it; True at the end of the output."""
        try:
            data = self.channel.recv(CHUNK)
        except TimeoutError:
            data = None
        for _ in range(_PIECES):
            if not self.channel.recv_stderr_ready():
                break
            self._add("stderr", self.channel.recv_stderr(CHUNK))
        if data:
            self._add("stdout", data)
        if data != b"":
            return False
        return self._drain()

    def _drain(self) -> bool:
        """The output has ended; True when the error output has, too."""
        try:
            data = self.channel.recv_stderr(CHUNK)
        except TimeoutError:
            return False
        if data:
            self._add("stderr", data)
            return False
        for name, rest in self.pending.items():
            if rest and self.on_line:
                self.on_line(rest.decode(errors="replace"))
            self.pending[name] = b""
        return True

    def _add(self, name: str, data: bytes) -> None:
        """What is beyond LARGEST_OUTPUT, or beyond LONGEST_LINE of a line, is dropped."""
        room = LARGEST_OUTPUT - len(self.collected[name])
        self.collected[name] += data[:room]
        if self.on_line:
            *lines, rest = (self.pending[name] + data).split(b"\n")
            self.pending[name] = rest[:LONGEST_LINE]
            for line in lines:
                self.on_line(line[:LONGEST_LINE].decode(errors="replace").rstrip("\r"))

    def texts(self) -> tuple[str, str]:
        return tuple(bytes(part).decode(errors="replace") for part in self.collected.values())
