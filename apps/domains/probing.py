"""Asking a server's proxy as a visitor would: by the server's address, with explicit Host and SNI.

Names need not resolve yet, and no other machine can answer in the server's place.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import secrets
import socket
import ssl
import time
from dataclasses import dataclass, field

from apps.core.exceptions import Problem
from apps.core.outgoing import check_address
from apps.servers.models import Server

LARGEST_BODY = 256 * 1024
# RFC 6455, section 1.3.
_WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True)
class ProbeResult:
    """What the proxy answered. `status` is None where there was no answer, and then `error` says why.

    `headers` have small letters; `body` holds at most 256 KiB; `fingerprint` is the SHA-256 of the certificate that
    was shown, hexadecimal; `seconds` is how long it took.
    """

    status: int | None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    fingerprint: str = ""
    error: str = ""
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    def __str__(self) -> str:
        return self.error or f"HTTP {self.status}"


def probe(
    server: Server,
    host_name: str,
    path: str = "/",
    *,
    tls: bool = False,
    timeout: float = 5.0,
    headers: dict[str, str] | None = None,
) -> ProbeResult:
    """One GET through the server's proxy. Redirects are not followed, certificates are reported, not judged.

    `timeout` is in seconds, for connecting and for each read. Never raises for what the network does.
    """
    started = time.monotonic()
    connection = _Connection(server, host_name, tls=tls, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Host": _host_header(server, host_name, tls), **(headers or {})})
        answer = connection.getresponse()
        body = b"" if answer.status == http.HTTPStatus.SWITCHING_PROTOCOLS else answer.read(LARGEST_BODY)
        found = {name.lower(): value for name, value in answer.getheaders()}
        fingerprint = connection.fingerprint
        return ProbeResult(answer.status, found, body, fingerprint, seconds=time.monotonic() - started)
    except (OSError, http.client.HTTPException, Problem) as error:
        return ProbeResult(None, error=_words(error), seconds=time.monotonic() - started)
    finally:
        connection.close()


def probe_websocket(
    server: Server, host_name: str, path: str = "/websocket", *, tls: bool = False, timeout: float = 5.0
) -> ProbeResult:
    """One websocket handshake (RFC 6455) through the server's proxy. Status 101 means that it was accepted properly;
    an answer with a wrong key is reported as an error."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    scheme = "https" if tls else "http"
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        # Odoo refuses a handshake without it.
        "Origin": f"{scheme}://{_host_header(server, host_name, tls)}",
    }
    result = probe(server, host_name, path, tls=tls, timeout=timeout, headers=handshake)
    if result.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
        return result
    digest = hashlib.sha1((key + _WEBSOCKET_GUID).encode(), usedforsecurity=False).digest()
    if result.headers.get("sec-websocket-accept") != base64.b64encode(digest).decode():
        return ProbeResult(None, result.headers, error="The websocket handshake was answered with a wrong key.")
    return result


def _host_header(server: Server, host_name: str, tls: bool) -> str:
    port = server.https_port if tls else server.http_port
    return host_name if port == (443 if tls else 80) else f"{host_name}:{port}"


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "No answer in time."
    if isinstance(error, ConnectionRefusedError):
        return "The connection was refused."
    return str(error) or type(error).__name__


class _Connection(http.client.HTTPConnection):
    """HTTP to a fixed address, whatever the host name resolves to."""

    def __init__(self, server: Server, host_name: str, *, tls: bool, timeout: float) -> None:
        super().__init__(host_name, server.https_port if tls else server.http_port, timeout=timeout)
        self.address = server.address
        self.tls = tls
        self.fingerprint = ""

    def connect(self) -> None:
        """Connects to an address that the guard allows."""
        addresses = check_address(self.address, self.port)
        self.sock = socket.create_connection((addresses[0], self.port), self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
            self.fingerprint = hashlib.sha256(self.sock.getpeercert(binary_form=True) or b"").hexdigest()
