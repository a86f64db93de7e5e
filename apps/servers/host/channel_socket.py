"""An SSH channel as the socket that an HTTP library expects."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from typing import Any

import paramiko

from apps.servers.host.exceptions import ConnectionLost

# More than the library's packet; a memoryview of it costs nothing.
CHUNK = 256 * 1024


class ChannelSocket:
    """Counts its readers as `socket.socket` does: the channel is closed when it and all of them are closed.

    A connection that was cut is told as ConnectionLost, never as an end of data. `on_closed` is called once.
    """

    def __init__(self, channel: paramiko.Channel, address: str, on_closed: Callable[[], None] = lambda: None) -> None:
        self.channel = channel
        self.address = address
        self._on_closed = on_closed
        self._readers = 0
        self._is_closed = False
        self._is_released = False

    @property
    def is_usable(self) -> bool:
        """Open on both sides, with nothing unread: fit for another request."""
        channel = self.channel
        return not (self._is_closed or channel.closed or channel.eof_received or channel.recv_ready())

    def settimeout(self, seconds: float | None) -> None:
        self.channel.settimeout(seconds)

    def gettimeout(self) -> float | None:
        return self.channel.gettimeout()

    def sendall(self, data: Any) -> None:
        """Sends everything. A slice of a bytes object would be a copy; one of a memoryview is none."""
        view = memoryview(data)
        try:
            while view:
                view = view[self.channel.send(bytes(view[:CHUNK])) :]
        except TimeoutError:
            raise
        except (OSError, EOFError, paramiko.SSHException) as error:
            self._raise_if_lost(error)
            raise BrokenPipeError("the far side closed the channel") from error

    def recv_into(self, buffer: Any) -> int:
        """Reads into `buffer`; 0 at the end of the data."""
        try:
            data = self.channel.recv(len(buffer))
        except TimeoutError:
            raise
        except (OSError, EOFError, paramiko.SSHException) as error:
            self._raise_if_lost(error)
            raise
        if not data and not self._is_closed:
            self._raise_if_lost(None)
        buffer[: len(data)] = data
        return len(data)

    def _raise_if_lost(self, cause: BaseException | None) -> None:
        transport = self.channel.get_transport()
        if transport is None or not transport.is_active():
            reason = (transport and transport.get_exception()) or cause
            raise ConnectionLost("servers.connection_lost", address=self.address, reason=reason) from cause

    def makefile(self, mode: str = "rb", buffering: int | None = None) -> io.BufferedReader:
        """A buffered reader over the channel."""
        self._readers += 1
        return io.BufferedReader(_Reader(self), CHUNK)

    def shutdown(self, how: int) -> None:
        """Closes one direction or both."""
        if how == socket.SHUT_RDWR:
            self.close()
            self.channel.close()
        elif how == socket.SHUT_WR:
            self.channel.shutdown_write()

    def close(self) -> None:
        self._is_closed = True
        self._release_if_unused()

    def reader_closed(self) -> None:
        self._readers -= 1
        self._release_if_unused()

    def _release_if_unused(self) -> None:
        if self._is_closed and self._readers <= 0 and not self._is_released:
            self._is_released = True
            self.channel.close()
            self._on_closed()


class _Reader(io.RawIOBase):
    """The raw half of the buffered reader. `_sock` is the name under which docker-py looks for the socket."""

    def __init__(self, owner: ChannelSocket) -> None:
        self._sock = owner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._sock.reader_closed()
