"""The SSH connection itself. Whatever a server sends, what is kept of it here has a limit: the library has none."""

from __future__ import annotations

import socket
import threading

import paramiko
from paramiko.common import MSG_CHANNEL_DATA, MSG_CHANNEL_EXTENDED_DATA
from paramiko.packet import Packetizer

CONNECT_SECONDS = 10
GREETING_SECONDS = 15
SIGN_IN_SECONDS = 20
CHANNEL_SECONDS = 15
# The library's own order puts the fast ciphers last.
CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr")
# As OpenSSH has it (PACKET_MAX_SIZE in packet.c). The protocol asks for 35,000 bytes at least (RFC 4253, section 6.1).
LARGEST_PACKET = 256 * 1024
# All lines up to the version, in bytes; a server may say something before it (RFC 4253, section 4.2).
LARGEST_GREETING = 64 * 1024


class BoundedPacketizer(Packetizer):
    """Reads packets that a server may send, and no larger ones: the length on the wire goes up to 4 GB."""

    _greeting = 0

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """The next `n` bytes of the connection. Raises SSHException where that is no size of a packet."""
        if not 0 <= n <= LARGEST_PACKET:
            raise paramiko.SSHException(f"a packet of {n} bytes was announced")
        return super().read_all(n, check_rekey)

    def _read_timeout(self, timeout: float) -> bytes:
        # What the library reads the lines of the greeting with.
        data = super()._read_timeout(timeout)
        self._greeting += len(data)
        if self._greeting > LARGEST_GREETING:
            raise paramiko.SSHException("the greeting does not end")
        return data


def _within_window(channel: paramiko.Channel) -> None:
    """Raises SSHException for a server that sends on without waiting until it was told to (RFC 4254, section 5.2): it
    may be ahead of the reader by the window and no more."""
    unread = len(channel.in_buffer) + len(channel.in_stderr_buffer)
    if unread > channel.in_window_size:
        raise paramiko.SSHException(f"{unread} bytes came that nobody had asked for")


def _feed(channel: paramiko.Channel, message: paramiko.Message) -> None:
    paramiko.Channel._feed(channel, message)
    _within_window(channel)


def _feed_extended(channel: paramiko.Channel, message: paramiko.Message) -> None:
    paramiko.Channel._feed_extended(channel, message)
    _within_window(channel)


class Transport(paramiko.Transport):
    """An SSH connection which can also open a socket on the far side (PROTOCOL of OpenSSH, section 2.4): no process
    has to be started there, and it does not count against MaxSessions."""

    _channel_handler_table = paramiko.Transport._channel_handler_table | {
        MSG_CHANNEL_DATA: _feed,
        MSG_CHANNEL_EXTENDED_DATA: _feed_extended,
    }

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection, packetizer_class=BoundedPacketizer)
        self._opening = threading.local()
        self.banner_timeout = GREETING_SECONDS
        self.auth_timeout = SIGN_IN_SECONDS
        self.channel_timeout = CHANNEL_SECONDS
        self.get_security_options().ciphers = CIPHERS
        self.daemon = True

    def open_unix_socket(self, path: str) -> paramiko.Channel:
        """A channel to a socket of the far side. Raises ChannelException when the server refuses."""
        self._opening.path = path
        return self.open_channel("direct-streamlocal@openssh.com")

    def _send_user_message(self, data: paramiko.Message) -> None:
        path = self._opening.__dict__.pop("path", None)
        if path is not None:
            # The library writes the part that all kinds of channels have in common; this is the rest of this kind.
            data.add_string(path)
            data.add_string("")
            data.add_int(0)
        super()._send_user_message(data)
