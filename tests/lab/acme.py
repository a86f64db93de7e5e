"""A real ACME server (Pebble) which validates through the lab's DNS server."""

from __future__ import annotations

import json
import ssl
import urllib.request
from pathlib import Path

from images.packages import ensure_packages
from tests.lab.commands import execute, wait_until
from tests.lab.dns import DnsServer
from tests.lab.processes import Daemon
from tests.lab.sshd import answers, ensure_port_is_free


class AcmeServer:
    """Pebble in `directory`. What it issues is trusted by nobody until `issuing_root` is; it forgets all at a restart.

    HTTP-01 challenges are fetched from `http_port` of the address that DNS names.
    """

    def __init__(
        self,
        directory: Path,
        *,
        address: str,
        dns: DnsServer,
        port: int = 14000,
        management_port: int = 15000,
        http_port: int = 80,
        tls_port: int = 443,
    ) -> None:
        self.directory = directory
        self.address = address
        self.dns = dns
        self.port = port
        self.management_port = management_port
        self.http_port = http_port
        self.tls_port = tls_port
        self.daemon = Daemon("pebble", directory)

    @property
    def directory_url(self) -> str:
        return f"https://{self.address}:{self.port}/dir"

    @property
    def https_root(self) -> Path:
        """File with the authority behind the server's own HTTPS: what a client must trust to talk to it."""
        return self.directory / "authority.pem"

    @property
    def issuing_root(self) -> str:
        """The authority (PEM) behind the certificates that it issues; another one after each start."""
        return self._management("/roots/0")

    @property
    def issuing_intermediate(self) -> str:
        return self._management("/intermediates/0")

    @property
    def is_running(self) -> bool:
        return self.daemon.mark is not None

    def start(self) -> AcmeServer:
        """Start it, or leave it running."""
        ensure_packages(("pebble", "openssl"))
        if self.is_running and answers(self.address, self.port):
            return self
        self.daemon.stop()
        self.directory.mkdir(parents=True, exist_ok=True)
        self._make_certificate()
        ensure_port_is_free(self.address, self.port)
        self._write_settings()
        settings = self.directory / "pebble.json"
        self.daemon.start(
            ["pebble", "-config", settings, "-dnsserver", f"{self.dns.address}:{self.dns.port}"],
            # No random delays and refusals: they are for testing ACME clients, which is not what this is for.
            environment={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"},
        )
        wait_until(
            lambda: self.daemon.pid > 0 and answers(self.address, self.port) and self._management_answers(),
            timeout=40,
            what="the ACME server answers",
        )
        return self

    def stop(self) -> None:
        self.daemon.stop()

    def _write_settings(self) -> None:
        settings = {
            "listenAddress": f"{self.address}:{self.port}",
            "managementListenAddress": f"{self.address}:{self.management_port}",
            "certificate": str(self.directory / "server.pem"),
            "privateKey": str(self.directory / "server.key"),
            "httpPort": self.http_port,
            "tlsPort": self.tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
        }
        (self.directory / "pebble.json").write_text(json.dumps({"pebble": settings}, indent=2))

    def _make_certificate(self) -> None:
        """An authority of the lab's own and a certificate for the server's address, made once."""
        if (self.directory / "server.pem").exists():
            return
        request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        execute([
            *request, "-days", "3650", "-subj", "/CN=OEC.SH lab", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout", self.directory / "authority.key", "-out", self.https_root,
        ])  # fmt: skip
        execute([
            *request, "-days", "3650", "-subj", "/CN=pebble",
            "-CA", self.https_root, "-CAkey", self.directory / "authority.key",
            "-addext", "basicConstraints=critical,CA:FALSE",
            "-addext", f"subjectAltName=IP:{self.address},IP:127.0.0.1,DNS:localhost",
            "-keyout", self.directory / "server.key", "-out", self.directory / "server.pem",
        ])  # fmt: skip

    def _management_answers(self) -> bool:
        return answers(self.address, self.management_port)

    def _management(self, path: str) -> str:
        address = f"https://{self.address}:{self.management_port}{path}"
        trusted = ssl.create_default_context(cafile=str(self.https_root))
        with urllib.request.urlopen(address, context=trusted, timeout=10) as answer:
            return answer.read().decode()
