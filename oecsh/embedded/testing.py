"""PostgreSQL and Valkey for the tests. PostgreSQL is shared by all test runs of a checkout and stays up between them
(every run has a database of its own); each run has its own Valkey, because the tests restart and flush it."""

from __future__ import annotations

import atexit
import os
import shutil
from pathlib import Path

import psycopg

from oecsh.embedded.postgres import Postgres
from oecsh.embedded.processes import stop
from oecsh.embedded.valkey import Valkey


def ensure_services(directory: Path) -> dict[str, str]:
    """Starts what is not given by DATABASE_URL and REDIS_URL, and returns both."""
    urls = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
    if "DATABASE_URL" not in urls:
        server = postgres(directory)
        server.start()
        _drop_abandoned_databases(server)
        urls["DATABASE_URL"] = server.url
    if "REDIS_URL" not in urls:
        valkey = Valkey(directory / f"valkey-{os.getpid()}")
        valkey.start()
        urls["REDIS_URL"] = valkey.url
        atexit.register(_end, valkey, os.getpid())
    return urls


def postgres(directory: Path) -> Postgres:
    """The tests' server."""
    return Postgres(directory / "postgres", durable=False)


def stop_services(directory: Path) -> None:
    """Stops the tests' PostgreSQL and every Valkey that an ended run left behind."""
    postgres(directory).stop()
    for folder in directory.glob("valkey-*"):
        if not Path(f"/proc/{folder.name.removeprefix('valkey-')}").exists():
            Valkey(folder).stop()
            shutil.rmtree(folder, ignore_errors=True)


def _end(valkey: Valkey, owner: int) -> None:
    if os.getpid() == owner:
        pid = valkey.pid()
        if pid:
            stop(pid)
        shutil.rmtree(valkey.directory, ignore_errors=True)


def _drop_abandoned_databases(server: Postgres) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        names = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_oecsh\\_%'").fetchall()
        for (name,) in names:
            owner = name.removeprefix("test_oecsh_").split("_")[0]
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                identifier = psycopg.sql.Identifier(name)
                connection.execute(psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
