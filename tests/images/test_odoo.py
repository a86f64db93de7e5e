"""The images "odoo" keep the interface of the original, and the real Odoo in them runs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import docker
import pytest
import requests
from docker.models.containers import Container
from docker.models.networks import Network

from tests.images.containers import Start, address_of, output_of, wait_until

pytestmark = pytest.mark.lab
VERSIONS = pytest.mark.parametrize("version", ["19.0", "14.0"])
PASSWORD = "not for everybody"
Odoo = Callable[..., Container]


@pytest.fixture(scope="module")
def database(start: Start) -> Container:
    """A database server called `database` in the module's network."""
    settings = {"POSTGRES_USER": "odoo", "POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": "postgres"}
    return start("postgres:17", name="oecsh-images-test-database", hostname="database", environment=settings)


@pytest.fixture
def odoo(engine: docker.DockerClient, network: Network, database: Container) -> Odoo:
    """`odoo(version, configuration, command, **options)`: Odoo with that configuration file."""

    def started(version: str, configuration: str, command: list[str] | None = None, **options: object) -> Container:
        container = engine.containers.create(
            f"odoo:{version}", command, network=network.name, labels={"sh.oec.test": "images"}, **options
        )
        container.put_archive("/etc/odoo", _file("odoo.conf", configuration))
        container.start()
        return container

    return started


def _file(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(text.encode())
        entry.mode, entry.uid, entry.gid = 0o600, 101, 101
        tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


@VERSIONS
def test_version_needs_no_database(start: Start, version: str) -> None:
    assert output_of(start(f"odoo:{version}", ["--version"])) == (0, f"Odoo Server {version}\n")


@VERSIONS
def test_image_says_what_the_original_says(engine: docker.DockerClient, version: str) -> None:
    settings = engine.images.get(f"odoo:{version}").attrs["Config"]
    assert settings["User"] == "odoo"
    assert set(settings["ExposedPorts"]) == {"8069/tcp", "8071/tcp", "8072/tcp"}
    assert set(settings["Volumes"]) == {"/var/lib/odoo", "/mnt/extra-addons"}
    assert (settings["Entrypoint"], settings["Cmd"]) == (["/entrypoint.sh"], ["odoo"])
    assert "ODOO_RC=/etc/odoo/odoo.conf" in settings["Env"]
    assert f"ODOO_VERSION={version}" in settings["Env"]


@VERSIONS
def test_other_programs_run_as_given_and_as_the_right_user(start: Start, version: str) -> None:
    script = "id -u; id -g; command -v odoo; pg_dump --version; touch /var/lib/odoo/x /mnt/extra-addons/x; ls /etc/apt"
    status, output = output_of(start(f"odoo:{version}", ["sh", "-ec", script]))
    lines = output.splitlines()
    assert status == 0, output
    assert lines[:3] == ["101", "101", "/usr/bin/odoo"]
    assert "(PostgreSQL)" in lines[3]
    assert "sources.list" not in lines, "the image remembers where its packages came from"


@VERSIONS
def test_what_addons_and_their_requirements_count_on_is_there(start: Start, version: str) -> None:
    """Bar codes are drawn by a compiled part of reportlab; requirements.txt files are installed by pip."""
    script = (
        "import gevent, ldap, magic, odf, pdfminer, phonenumbers, slugify, watchdog\n"
        "from reportlab.graphics.barcode import createBarcodeDrawing\n"
        "print(createBarcodeDrawing('QR', value='x', format='png').asString('png')[1:4])\n"
    )
    assert output_of(start(f"odoo:{version}", ["python3", "-c", script])) == (0, "b'PNG'\n")
    status, output = output_of(start(f"odoo:{version}", ["sh", "-ec", "pip3 --version; curl --version; xz --version"]))
    assert status == 0, output


@VERSIONS
def test_database_that_never_comes_is_reported(start: Start, version: str) -> None:
    command = ["wait-for-psql.py", "--timeout=1", "--db_host=127.0.0.1", "--db_port=1"]
    status, output = output_of(start(f"odoo:{version}", command))
    assert status == 1
    assert "Database connection failure" in output
    assert "refused" in output


def test_entrypoint_waits_for_the_database(engine: docker.DockerClient, start: Start, database: Container) -> None:
    """Started first, with the server's name not even known: as soon as it is there, Odoo goes on."""
    name = "oecsh-images-test-late"
    settings = {"HOST": name, "USER": "odoo", "PASSWORD": PASSWORD}
    container = start("odoo:19.0", ["odoo", "--stop-after-init"], environment=settings)
    wait_until(lambda: "wait-for-psql" in str(container.top()["Processes"]), 10)
    server = {"POSTGRES_USER": "odoo", "POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": "postgres"}
    start("postgres:17", name=name, environment=server)
    status, output = output_of(container)
    assert status == 0, output
    assert f"database: odoo@{name}:5432" in output


@VERSIONS
def test_environment_names_the_database_and_the_password_stays_out_of_sight(
    odoo: Odoo, database: Container, version: str
) -> None:
    settings = {"HOST": address_of(database), "USER": "odoo", "PASSWORD": PASSWORD}
    container = odoo(version, "[options]\nworkers = 2\nmax_cron_threads = 1\n", environment=settings)
    address = address_of(container)
    wait_until(lambda: all(_answers(f"http://{address}:{port}/web/database/selector") for port in (8069, 8072)))
    processes = str(container.top(ps_args="-eo pid,args")["Processes"])
    assert "odoo gevent" in processes
    assert PASSWORD not in processes
    container.stop(timeout=20)
    assert container.wait()["StatusCode"] == 0


@VERSIONS
def test_configuration_file_goes_before_the_environment(odoo: Odoo, database: Container, version: str) -> None:
    configuration = (
        f"[options]\ndb_host = {address_of(database)}\ndb_port = 5432\ndb_user=odoo\ndb_password = {PASSWORD}\n"
    )
    wrong = {"HOST": "nowhere", "PORT": "1", "USER": "nobody", "PASSWORD": "wrong"}
    status, output = output_of(odoo(version, configuration, ["--", "--stop-after-init"], environment=wrong))
    assert status == 0, output
    assert f"database: odoo@{address_of(database)}:5432" in output


def test_subcommand_stays_the_first_word(odoo: Odoo, database: Container) -> None:
    configuration = f"[options]\ndb_host = {address_of(database)}\ndb_user = odoo\ndb_password = {PASSWORD}\n"
    status, output = output_of(odoo("19.0", configuration, ["odoo", "neutralize", "--database", "missing"]))
    assert status != 0
    assert "An error occurred during the neutralization" in output
