"""A receiver of webhooks: a real HTTPS server on a socket, with a certificate of an authority of its own."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Request:
    """What came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)


@dataclass
class Reply:
    """What goes out; `pause` is slept before the head (seconds), `drip` between the bytes of the body."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0
    drip: float = 0


class Receiver:
    """`requests` holds what came; `replies` are given in order, the last one for ever. `before_reply` is called with
    each request before anything is answered."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[Request] = []
        self.replies = [Reply()]
        self.before_reply: Callable[[Request], None] = lambda request: None
        self.together = self.most_together = 0
        self._lock = threading.Lock()
        self.certificate = _certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads, self._server.receiver = True, self
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._server.server_port}/hook"

    def take(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            self.together += 1
            self.most_together = max(self.most_together, self.together)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self.before_reply(request)
        time.sleep(reply.pause)
        return reply

    def done(self) -> None:
        with self._lock:
            self.together -= 1

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.receiver.take(Request(self.path, headers, body))
        try:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            for byte in reply.body if reply.drip else ():
                self.wfile.write(bytes([byte]))
                time.sleep(reply.drip)
            if not reply.drip:
                self.wfile.write(reply.body)
        except OSError:
            self.close_connection = True
        finally:
            self.server.receiver.done()

    def log_message(self, *arguments: object) -> None:
        pass


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "receiver.pem"
    file.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return file
