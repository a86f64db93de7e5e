"""The disk of a server fills up in the middle of a deployment."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from apps.environments.models import Environment, Status
from apps.environments.services import create_environment
from apps.projects.models import Project, Repository
from apps.servers import services as server_services
from apps.servers.models import Server
from tests.cast import Cast
from tests.deployments.conftest import deploy, finish, story
from tests.deployments.odoo import Visitor, inspect, query
from tests.lab.addons import odoo_module
from tests.lab.lab import Lab
from tests.lab.server import LabServer

pytestmark = [pytest.mark.lab, pytest.mark.slow]
MODEL = "oecsh_demo/models/note.py"
# More than the disk has left when it is updated, less than it has when room was made. Rows too short to be compressed.
BALLAST = """
    def init(self):
        self.env.cr.execute(
            "CREATE UNLOGGED TABLE IF NOT EXISTS oecsh_ballast AS "
            "SELECT repeat('x', 1900) AS filler FROM generate_series(1, 700000)"
        )
"""
DISK, LEFT, TOO_LITTLE = 7000, 1100, 300  # megabytes


@pytest.fixture
def machine(lab: Lab, served_images: str) -> Iterator[LabServer]:
    """A server with a small disk of its own under `/opt`."""
    found = lab.server("narrow")
    found.limit_disk(DISK)
    yield found
    found.free_disk()


@pytest.fixture
def environment(transactional_db: None, cast: Cast, machine: LabServer, repository: Any) -> Environment:
    """One that will be deployed to it."""
    row: Server = server_services.add_server(
        organization=cast.acme,
        name="Narrow",
        address=machine.address,
        port=machine.port,
        user=machine.user,
        private_key=machine.private_key,
        actor=cast.alice,
        cpu_overcommit=Decimal(16),
    )
    server_services.confirm_host_key(server=row, host_key=machine.host_key, actor=cast.alice)
    machine.forget_owner()
    finish(server_services.bootstrap(server=row, actor=cast.alice))
    row.refresh_from_db()
    project = Project.objects.create(organization=cast.acme, name="Shop", slug="shop", odoo_version="19.0")
    Repository.objects.create(
        project=project, kind="primary", name="Shop", slug="shop", url=repository.url, branch="main"
    )
    sizes: dict[str, Any] = {"cpu": Decimal(2), "memory_megabytes": 2048, "disk_megabytes": 1024}
    return create_environment(project=project, server=row, actor=cast.alice, environment_type="development", **sizes)


def test_nothing_is_lost_and_a_retry_with_room_succeeds(
    cast: Cast, environment: Environment, repository: Any, machine: LabServer
) -> None:
    first = deploy(environment, cast.alice)
    assert first.status == "success", story(first.operation)
    query(machine, environment, "INSERT INTO oecsh_demo (name) VALUES ('written by a person')")
    before = inspect(machine, environment, "odoo")["Id"]

    def nothing_is_lost() -> None:
        assert query(machine, environment, "SELECT name FROM oecsh_demo") == ["written by a person"]
        assert query(machine, environment, "SELECT to_regclass('oecsh_ballast') IS NULL") == ["t"]
        found = inspect(machine, environment, "odoo")
        assert (found["Id"], found["State"]["Status"]) == (before, "running")
        assert Visitor(environment).get("/web/login").status_code == 200
        assert environment.status == Status.RUNNING

    repository.commit({MODEL: odoo_module()[MODEL] + BALLAST}, "Much data")
    machine.fill_disk(leave_megabytes=LEFT)
    failed = deploy(environment, cast.alice)
    operation = failed.operation
    assert (failed.status, operation.error_code) == ("failed", "servers.disk_full"), story(operation)
    assert "disk of the server is full" in operation.error
    assert "Free some space" in operation.hint
    assert failed.failed_step.name == "install_addons"
    assert not operation.needs_attention
    nothing_is_lost()

    machine.fill_disk(leave_megabytes=TOO_LITTLE)
    refused = deploy(environment, cast.alice)
    assert refused.operation.error_code == "deployments.disk_too_full", story(refused.operation)
    assert refused.failed_step.name == "validate"
    nothing_is_lost()

    machine.free_disk()
    retried = deploy(environment, cast.alice)
    assert retried.status == "success", story(retried.operation)
    assert query(machine, environment, "SELECT name FROM oecsh_demo") == ["written by a person"]
    assert query(machine, environment, "SELECT count(*) FROM oecsh_ballast") == ["700000"]
    assert Visitor(environment).get("/web/login").status_code == 200
