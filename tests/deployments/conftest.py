"""What the deployment tests share: one lab server, prepared once and used by all, and an organization's things on it.

Rows go after each test, folders on the server stay: seeds that a test made are known again to the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from apps.deployments import services
from apps.deployments.models import Deployment, Seed
from apps.environments.models import Environment
from apps.environments.services import create_environment
from apps.operations.models import Operation, Status
from apps.operations.runner import run_operation
from apps.projects.models import Project, Repository
from apps.servers import services as server_services
from apps.servers.models import Server
from tests.cast import Cast
from tests.lab.git import GitServer
from tests.lab.lab import Lab
from tests.lab.server import LabServer

_SEED_FIELDS = (
    "key",
    "status",
    "odoo_version",
    "image_id",
    "postgres_image_id",
    "language",
    "demo_data",
    "modules",
    "installed",
    "database_name",
    "role_name",
    "size_megabytes",
)


class Ground:
    """The lab server that deployments go to, and what must outlive the rows of one test."""

    def __init__(self, machine: LabServer) -> None:
        self.machine = machine
        self.is_prepared = False
        self.seeds: list[dict[str, Any]] = []


@pytest.fixture(scope="session")
def ground(lab: Lab, served_images: str) -> Ground:
    """Server `delta`, with the images of the lab within reach."""
    return Ground(lab.server("delta"))


@pytest.fixture
def server(transactional_db: None, cast: Cast, ground: Ground) -> Iterator[Server]:
    """Acme's server, prepared by the platform's own operation the first time."""
    machine = ground.machine
    row = server_services.add_server(
        organization=cast.acme,
        name="Delta",
        address=machine.address,
        port=machine.port,
        user=machine.user,
        private_key=machine.private_key,
        actor=cast.alice,
        cpu_overcommit=Decimal(16),
    )
    server_services.confirm_host_key(server=row, host_key=machine.host_key, actor=cast.alice)
    if ground.is_prepared:
        server_services.sync(row)
        Server.objects.filter(pk=row.pk).update(status=Server.Status.READY)
    else:
        machine.forget_owner()
        finish(server_services.bootstrap(server=row, actor=cast.alice))
        ground.is_prepared = True
    row.refresh_from_db()
    for values in ground.seeds:
        Seed.objects.create(server=row, **values)
    yield row
    ground.seeds = list(Seed.objects.filter(status=Seed.Status.READY, organization=None).values(*_SEED_FIELDS))
    clear(machine)


@pytest.fixture
def make_environment(cast: Cast, server: Server) -> Callable[..., Environment]:
    """`make_environment(version="19.0", repository=…)`: a project with one environment on the server."""

    def make(
        *, version: str = "19.0", repository: Any = None, install: list[str] | None = None, **chosen: Any
    ) -> Environment:
        number = Project.objects.count() + 1
        project = Project.objects.create(
            organization=cast.acme,
            name=f"Shop {number}",
            slug=f"shop-{number}",
            odoo_version=version,
            install_modules=install or [],
        )
        if repository is not None:
            Repository.objects.create(
                project=project, kind="primary", name="Shop", slug="shop", url=repository.url, branch="main"
            )
        values = {"cpu": Decimal(2), "memory_megabytes": 2048, "environment_type": "development"} | chosen
        return create_environment(project=project, server=server, actor=cast.alice, **values)

    return make


@pytest.fixture
def repository(git_server: GitServer) -> Any:
    """A Git repository with one small module."""
    return git_server.create(f"shop-{time.time_ns()}")


def deploy(environment: Environment, user: Any, **options: Any) -> Deployment:
    """Deploys in this process, to its end."""
    deployment = services.deploy(environment=environment, user=user, **options)
    run_operation(deployment.operation_id)
    deployment = Deployment.objects.select_related("operation", "environment").get(pk=deployment.pk)
    environment.refresh_from_db()
    return deployment


def finish(operation: Operation) -> Operation:
    """Works on an operation in this process, to its good end."""
    run_operation(operation.pk)
    operation.refresh_from_db()
    assert operation.status == Status.COMPLETED, story(operation)
    return operation


def story(operation: Operation) -> str:
    """Everything that happened, for the message of a failing test."""
    steps = [
        f"{step.position:2} {step.name:20} {step.status:10} {step.seconds or 0:6.2f} s "
        f"{step.skipped_reason or step.error}"
        for step in operation.steps.all()
    ]
    lines = [f"  {line.level:7} {line.text}" for line in operation.lines.all()]
    return "\n".join([f"{operation.title}: {operation.status} {operation.error} {operation.hint}", *steps, *lines])


def statuses(deployment: Deployment) -> dict[str, str]:
    """Each step's status by name."""
    return {step.name: step.status for step in deployment.operation.steps.all()}


def clear(machine: LabServer) -> None:
    """Takes the environments of a test off the server; images, proxy and seeds stay."""
    script = """
for id in $(docker ps -aq --filter label=sh.oec.environment) $(docker ps -aq --filter label=oecsh.operation); do
  docker rm -fv "$id" > /dev/null
done
for name in $(docker network ls -q --filter label=sh.oec.environment); do
  docker network disconnect -f "$name" oecsh_proxy 2> /dev/null
  docker network rm "$name" > /dev/null
done
rm -rf /opt/oecsh/envs/* /opt/oecsh/trash/* /opt/oecsh/proxy/dynamic/route-* /opt/oecsh/org_*
"""
    machine.run(["sh", "-c", script], check=False)
