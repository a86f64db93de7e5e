"""Opening an SSH connection: the pinned host key, the key from the database, and a clear word for each failure."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from apps.core import outgoing
from apps.core.exceptions import Problem
from apps.servers import keys
from apps.servers.host.exceptions import ConnectionLost
from apps.servers.host.transport import CONNECT_SECONDS, GREETING_SECONDS, Transport

# Failures come to us as exceptions; the library's own words for them would only double the log.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

KEEPALIVE_SECONDS = 10
# After this long without an answer to anything, the kernel ends the connection (TCP_USER_TIMEOUT, tcp(7)).
SILENCE_SECONDS = 30
_KEY_TYPES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
_NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EINVAL}


@dataclass(frozen=True)
class Endpoint:
    """What is needed to reach a server and to sign in."""

    address: str
    port: int
    user: str
    key: keys.KeyPair = field(repr=False)
    host_key: str


def connect(endpoint: Endpoint) -> Transport:
    """Connects, compares the host key with the pinned one, and signs in.

    Raises ConnectionLost for what may pass by itself (refused, silent, cut), otherwise Problem: `servers.not_ssh`,
    `servers.ssh_incompatible`, `servers.host_key_changed`, `servers.key_refused`, `servers.more_than_a_key`,
    `core.address_unknown`, `core.address_not_allowed`.
    """
    kind = endpoint.host_key.split()[0]
    transport = Transport(_connect_socket(endpoint.address, endpoint.port))
    with _closed_on_error(transport):
        options = transport.get_security_options()
        # Asked for the pinned kind of key, so that another kind of the same server is no false alarm.
        options.key_types = _KEY_TYPES.get(kind, (kind,))
        try:
            _greet(transport, endpoint.address, endpoint.port)
        except IncompatiblePeer as error:
            _check_still_offered(endpoint, error)
        found = public_key_text(transport.get_remote_server_key())
        if found != endpoint.host_key:
            raise _host_key_changed(endpoint, found)
        _sign_in(transport, endpoint)
        transport.set_keepalive(KEEPALIVE_SECONDS)
    return transport


def scan_host_key(address: str, port: int) -> str:
    """The server's host key, as `type base64`; nothing is sent besides the greeting. Raises as `connect` does."""
    transport = Transport(_connect_socket(address, port))
    with contextlib.closing(transport):
        try:
            _greet(transport, address, port)
        except IncompatiblePeer as error:
            raise Problem("servers.ssh_incompatible", address=address, reason=error) from error
        return public_key_text(transport.get_remote_server_key())


def public_key_text(key: paramiko.PKey) -> str:
    """A public key as `type base64`."""
    return f"{key.get_name()} {key.get_base64()}"


def _connect_socket(address: str, port: int) -> socket.socket:
    failure: Problem | None = None
    for found in outgoing.check_address(address, port):
        try:
            connection = socket.create_connection((found, port), timeout=CONNECT_SECONDS)
        except TimeoutError:
            failure = failure or ConnectionLost(
                "servers.no_answer", address=address, port=port, seconds=CONNECT_SECONDS
            )
        except ConnectionRefusedError:
            failure = ConnectionLost("servers.port_closed", address=address, port=port)
        except OSError as error:
            code = "servers.no_route" if error.errno in _NO_ROUTE else "servers.connection_lost"
            failure = failure or ConnectionLost(code, address=address, reason=error.strerror or error)
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_SECONDS * 1000)
            return connection
    raise failure or Problem("core.address_unknown", host=address)


def _greet(transport: Transport, address: str, port: int) -> None:
    """Greeting and key exchange; IncompatiblePeer is left to the caller."""
    try:
        transport.start_client(timeout=GREETING_SECONDS + CONNECT_SECONDS)
    except IncompatiblePeer:
        raise
    except (paramiko.SSHException, OSError, EOFError) as error:
        text = str(error)
        if "Indecipherable protocol version" in text or "Incompatible version" in text:
            raise Problem("servers.not_ssh", address=address, port=port) from error
        if "banner" in text:
            raise ConnectionLost("servers.ssh_silent", address=address, port=port) from error
        raise ConnectionLost("servers.connection_lost", address=address, reason=text) from error


def _check_still_offered(endpoint: Endpoint, error: IncompatiblePeer) -> None:
    """The server offers no key of the pinned kind, or shares no cipher with us. The first means a changed key."""
    found = scan_host_key(endpoint.address, endpoint.port)
    if found != endpoint.host_key:
        raise _host_key_changed(endpoint, found) from error
    raise Problem("servers.ssh_incompatible", address=endpoint.address, reason=error) from error


def _host_key_changed(endpoint: Endpoint, found: str) -> Problem:
    return Problem(
        "servers.host_key_changed",
        address=endpoint.address,
        expected=keys.fingerprint(endpoint.host_key),
        found=keys.fingerprint(found),
    )


def _sign_in(transport: Transport, endpoint: Endpoint) -> None:
    try:
        remaining = transport.auth_publickey(endpoint.user, endpoint.key.for_paramiko())
    except (paramiko.AuthenticationException, paramiko.SSHException, OSError, EOFError) as error:
        # Paramiko calls a connection that is cut or silent in the middle of it a failure of the sign-in too.
        is_cut = any(words in str(error).lower() for words in ("timeout", "saw eof"))
        if isinstance(error, paramiko.AuthenticationException) and not is_cut:
            raise Problem("servers.key_refused", address=endpoint.address, user=endpoint.user) from error
        raise ConnectionLost("servers.connection_lost", address=endpoint.address, reason=error) from error
    if remaining:
        methods = ", ".join(remaining)
        raise Problem("servers.more_than_a_key", address=endpoint.address, user=endpoint.user, methods=methods)


@contextlib.contextmanager
def _closed_on_error(transport: Transport) -> Iterator[None]:
    try:
        yield
    except BaseException:
        transport.close()
        raise


def wait_closed(transport: Transport, *, seconds: float = 2) -> None:
    """Closes the connection and waits a moment for its thread, so that no descriptor is left behind."""
    transport.close()
    deadline = time.monotonic() + seconds
    while transport.is_alive() and time.monotonic() < deadline:
        transport.join(0.05)
