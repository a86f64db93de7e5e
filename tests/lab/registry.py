"""A private image registry that asks for name and password: what a customer's registry account opens."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import bcrypt

from images.packages import ensure_packages
from tests.lab.commands import wait_until
from tests.lab.processes import Daemon
from tests.lab.server import LabServer
from tests.lab.sshd import answers, ensure_port_is_free


class PrivateRegistry:
    """Debian's docker-registry in `directory`, on `address:port`, behind `user` and `password`.

    Plain HTTP: the lab's engines are told to accept that from the lab's addresses.
    """

    user = "acme"

    def __init__(self, directory: Path, *, address: str, port: int = 5001) -> None:
        self.directory = directory
        self.address = address
        self.port = port
        self.daemon = Daemon("registry", directory)

    @property
    def host(self) -> str:
        """What image names begin with."""
        return f"{self.address}:{self.port}"

    @property
    def password(self) -> str:
        file = self.directory / "password"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(18))
        return file.read_text()

    @property
    def is_running(self) -> bool:
        return self.daemon.mark is not None

    def start(self) -> PrivateRegistry:
        """Start it, or leave it running. Images pushed earlier are still there."""
        ensure_packages(("docker-registry",))
        if self.is_running and answers(self.address, self.port):
            return self
        self.daemon.stop()
        ensure_port_is_free(self.address, self.port)
        self._write_settings()
        self.daemon.start(["docker-registry", "serve", self.directory / "config.yml"])
        wait_until(
            lambda: self.daemon.pid > 0 and answers(self.address, self.port), timeout=40, what="the registry answers"
        )
        return self

    def stop(self) -> None:
        self.daemon.stop()

    def push(self, server: LabServer, image: str, name: str) -> str:
        """Push an image that `server` has under the name `HOST/name`; returns that full name, by which it is pulled.

        `name` is such as `team/odoo:1`.
        """
        full_name = f"{self.host}/{name}"
        # The password goes by standard input; the sign-in lives in a folder that is gone afterwards.
        login = ["docker", "--config", "/run/lab-push", "login", "--username", self.user, "--password-stdin", self.host]
        server.run(login, stdin=self.password)
        try:
            server.run(["docker", "tag", image, full_name])
            server.run(["docker", "--config", "/run/lab-push", "push", "--quiet", full_name], timeout=600)
        finally:
            server.run(["docker", "rmi", full_name], check=False)
            server.run(["rm", "-rf", "/run/lab-push"])
        return full_name

    def _write_settings(self) -> None:
        hashed = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(rounds=5)).decode()
        (self.directory / "htpasswd").write_text(f"{self.user}:{hashed}\n")
        settings = {
            "version": 0.1,
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": str(self.directory / "images")}},
            "http": {"addr": self.host},
            "auth": {"htpasswd": {"realm": "registry", "path": str(self.directory / "htpasswd")}},
        }
        (self.directory / "config.yml").write_text(json.dumps(settings))  # JSON is YAML
