"""The images "postgres" keep the interface of the original."""

from __future__ import annotations

import io
import tarfile

import psycopg
import pytest

from tests.images.containers import Start, address_of, output_of, wait_until

pytestmark = pytest.mark.lab
VERSIONS = pytest.mark.parametrize("version", ["17", "13"])


def connect(address: str, **parameters: str) -> psycopg.Connection:
    return psycopg.connect(host=address, connect_timeout=3, **({"user": "postgres", "dbname": "postgres"} | parameters))


def wait_for_server(address: str, **parameters: str) -> None:
    def answers() -> bool:
        try:
            connect(address, **parameters).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_until(answers)


@VERSIONS
def test_server_without_password_is_refused(start: Start, version: str) -> None:
    status, output = output_of(start(f"postgres:{version}"))
    assert status == 1
    assert "POSTGRES_PASSWORD" in output


@VERSIONS
def test_first_start_makes_user_and_database_and_takes_options(start: Start, version: str) -> None:
    settings = {"POSTGRES_USER": "odoo", "POSTGRES_PASSWORD": 'it\'s "secret"', "POSTGRES_DB": "first db"}
    container = start(f"postgres:{version}", ["-c", "max_connections=77"], environment=settings)
    login = {"user": "odoo", "password": settings["POSTGRES_PASSWORD"], "dbname": "first db"}
    address = address_of(container)
    wait_for_server(address, **login)
    with connect(address, **login) as connection:
        assert connection.execute("SHOW max_connections").fetchone() == ("77",)
        assert connection.execute("SHOW server_version").fetchone()[0].startswith(f"{version}.")
        assert connection.execute("SHOW data_directory").fetchone() == ("/var/lib/postgresql/data",)
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'odoo'").fetchone() == (True,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(address, **(login | {"password": "wrong"}))
    ids = container.exec_run(["stat", "-c", "%u:%g", "/proc/1"]).output.decode().strip()
    assert ids == "999:999"
    environment = container.exec_run(["cat", "/proc/1/environ"], user="postgres").output
    assert b"secret" not in environment, "the server's children would inherit the password"

    container.restart(timeout=20)
    wait_for_server(address_of(container), **login)
    assert "fast shutdown request" in container.logs().decode()


def test_password_from_a_file_and_scripts_of_the_first_start(engine, network, start: Start) -> None:
    files = {
        "run/secrets/password": "from a file\n",
        "docker-entrypoint-initdb.d/1.sql": "CREATE TABLE one AS SELECT 1 AS number;",
        "docker-entrypoint-initdb.d/2.sh": 'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "INSERT INTO one VALUES (2)"',
        "docker-entrypoint-initdb.d/readme.txt": "no script",
    }
    container = engine.containers.create(
        "postgres:17",
        environment={"POSTGRES_PASSWORD_FILE": "/run/secrets/password"},
        network=network.name,
        labels={"sh.oec.test": "images"},
    )
    container.put_archive("/", archive(files))
    container.start()
    address = address_of(container)
    wait_for_server(address, password="from a file")
    with connect(address, password="from a file") as connection:
        assert connection.execute("SELECT number FROM one ORDER BY 1").fetchall() == [(1,), (2,)]


def test_script_that_fails_stops_the_first_start(engine, network) -> None:
    container = engine.containers.create(
        "postgres:17",
        environment={"POSTGRES_PASSWORD": "secret"},
        network=network.name,
        labels={"sh.oec.test": "images"},
    )
    container.put_archive("/", archive({"docker-entrypoint-initdb.d/1.sql": "SELECT no_such_function();"}))
    container.start()
    status, output = output_of(container)
    assert status != 0
    assert "no_such_function" in output


def test_both_ways_to_give_a_password_are_refused(start: Start) -> None:
    both = {"POSTGRES_PASSWORD": "one", "POSTGRES_PASSWORD_FILE": "/run/secrets/other"}
    status, output = output_of(start("postgres:17", environment=both))
    assert status == 1
    assert "exclusive" in output


@VERSIONS
def test_other_programs_run_as_given(start: Start, version: str) -> None:
    status, output = output_of(start(f"postgres:{version}", ["pg_basebackup", "--version"]))
    assert (status, f"(PostgreSQL) {version}." in output) == (0, True)


def archive(files: dict[str, str]) -> bytes:
    """A tar archive of `files`, readable for everybody."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
