"""PgBouncer, Traefik and BusyBox keep the interface of the originals."""

from __future__ import annotations

import io
import tarfile

import docker
import psycopg
import pytest
import requests
from docker.models.containers import Container
from docker.models.networks import Network

from tests.images.containers import Start, address_of, output_of, wait_until

pytestmark = pytest.mark.lab
PGBOUNCER = "edoburu/pgbouncer:v1.24.1-p1"


@pytest.fixture(scope="module")
def database(start: Start) -> str:
    """The address of a database server whose user is odoo, password secret."""
    settings = {"POSTGRES_USER": "odoo", "POSTGRES_PASSWORD": "secret", "POSTGRES_DB": "postgres"}
    address = address_of(start("postgres:17", environment=settings))
    # PgBouncer would not try again for 15 seconds.
    wait_until(lambda: answers(address, 5432, "postgres"))
    return address


def with_files(
    engine: docker.DockerClient, network: Network, image: str, files: dict[str, str], command: list[str] | None = None
) -> Container:
    """A container of `image` with `files` in it, owned by the image's user 70 (others can read them)."""
    container = engine.containers.create(image, command, network=network.name, labels={"sh.oec.test": "images"})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid = len(text.encode()), 0o644, 70
            tar.addfile(entry, io.BytesIO(text.encode()))
    container.put_archive("/", buffer.getvalue())
    container.start()
    return container


def answers(address: str, port: int, database: str) -> bool:
    try:
        with psycopg.connect(
            host=address, port=port, user="odoo", password="secret", dbname=database, connect_timeout=3
        ) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_pgbouncer_reads_its_mounted_files(engine: docker.DockerClient, network: Network, database: str) -> None:
    files = {
        "etc/pgbouncer/pgbouncer.ini": (
            f"[databases]\n* = host={database} port=5432\n[pgbouncer]\nlisten_addr = *\nlisten_port = 6432\n"
            "auth_type = scram-sha-256\nauth_file = /etc/pgbouncer/userlist.txt\n"
        ),
        "etc/pgbouncer/userlist.txt": '"odoo" "secret"\n',
    }
    container = with_files(engine, network, PGBOUNCER, files)
    wait_until(lambda: answers(address_of(container), 6432, "postgres"))
    assert container.exec_run(["stat", "-c", "%u:%g", "/proc/1"]).output.decode().strip() == "70:70"


def test_pgbouncer_is_set_up_by_variables_alone(start: Start, database: str) -> None:
    settings = {"DB_HOST": database, "DB_USER": "odoo", "DB_PASSWORD": "secret", "AUTH_TYPE": "scram-sha-256"}
    container = start(PGBOUNCER, environment=settings | {"POOL_MODE": "transaction", "MAX_CLIENT_CONN": "50"})
    wait_until(lambda: answers(address_of(container), 5432, "postgres"))
    written = container.exec_run(["cat", "/etc/pgbouncer/pgbouncer.ini"]).output.decode()
    assert "pool_mode = transaction" in written
    assert "max_client_conn = 50" in written


def test_pgbouncer_is_set_up_by_an_address(start: Start, database: str) -> None:
    url = f"postgres://odoo:secret@{database}:5432/postgres?sslmode=prefer"
    container = start(PGBOUNCER, environment={"DATABASE_URL": url, "AUTH_TYPE": "scram-sha-256"})
    wait_until(lambda: answers(address_of(container), 5432, "postgres"))


def test_pgbouncer_without_any_setting_says_what_is_missing(start: Start) -> None:
    status, output = output_of(start(PGBOUNCER))
    assert status == 1
    assert "pgbouncer.ini" in output


def test_traefik_follows_its_file_provider(engine: docker.DockerClient, network: Network, start: Start) -> None:
    page = start("busybox:stable", ["sh", "-c", "mkdir /w && echo hello > /w/index.html && httpd -f -p 8000 -h /w"])
    routes = (
        "http:\n  routers:\n    page:\n      rule: Host(`page.example`)\n      service: page\n"
        f"  services:\n    page:\n      loadBalancer:\n        servers:\n          - url: http://{address_of(page)}:8000\n"
    )
    options = ["--entrypoints.web.address=:80", "--providers.file.directory=/etc/traefik/dynamic", "--ping"]
    container = with_files(engine, network, "traefik:v3.7", {"etc/traefik/dynamic/page.yml": routes}, options)

    def text() -> str:
        try:
            return requests.get(
                f"http://{address_of(container)}/", headers={"Host": "page.example"}, timeout=5
            ).text.strip()
        except requests.RequestException:
            return ""

    wait_until(lambda: text() == "hello")


def test_traefik_takes_its_own_commands_and_others(start: Start) -> None:
    status, output = output_of(start("traefik:v3.7", ["version"]))
    assert (status, "3.7" in output) == (0, True)
    assert output_of(start("traefik:v3.7", ["sh", "-c", "echo other"])) == (0, "other\n")
    status, _ = output_of(start("traefik:v3.7", ["--no-such-option"]))
    assert status == 1


def test_busybox_copies_folders_with_owners_and_hard_links(start: Start) -> None:
    script = (
        "mkdir /a && echo x > /a/one && ln /a/one /a/two && chown 101:101 /a/one && chmod 640 /a/one && "
        "cp -al /a /linked && stat -c '%h %u:%g %a' /linked/one && cp -a /a /copied && stat -c '%u:%g %a' /copied/one"
    )
    assert output_of(start("busybox:stable", ["sh", "-ec", script])) == (0, "4 101:101 640\n101:101 640\n")
