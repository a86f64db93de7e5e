"""A lab server with the containers of one environment on it. They hold a shell instead of Odoo and PostgreSQL: what is
tested is what the actions do to containers, networks and folders, and that is the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import docker.errors
import pytest
from django.db import connections

from apps.environments.models import Environment
from apps.environments.render_containers import ENVIRONMENT_LABEL
from apps.environments.render_specification import specification_of
from apps.environments.runtime import ensure_network
from apps.operations.models import Operation
from apps.operations.runner import run_operation
from apps.servers import keys, paths
from apps.servers.host import Host, open_host
from apps.servers.models import Server
from tests.factories import make_environment, make_project, make_server

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.lab.lab import Lab
    from tests.lab.server import LabServer

IMAGE = "busybox:stable"
# Says who it is once in a while, and ends when it is told to.
SHELL = 'trap "exit 0" TERM; echo "$0 begins"; while :; do sleep 1 & wait $!; done'


@pytest.fixture(scope="session")
def machine(lab: Lab) -> LabServer:
    """Server `zeta`, with one small image and something in the proxy's place."""
    lab.serve_images(["busybox"])
    return lab.server("zeta")


@pytest.fixture
def server(transactional_db: None, cast: Cast, machine: LabServer) -> Server:
    """Its row, ready."""
    row = make_server(
        cast.acme,
        address=machine.address,
        port=machine.port,
        user=machine.user,
        host_key=machine.host_key,
        host_key_fingerprint=keys.fingerprint(machine.host_key),
    )
    row.ssh_key.private_key = machine.private_key
    row.ssh_key.save()
    return row


@pytest.fixture
def host(server: Server) -> Iterator[Host]:
    """The way to it."""
    with open_host(server) as opened:
        try:
            opened.docker.images.get(IMAGE)
        except docker.errors.ImageNotFound:
            opened.docker.images.pull(IMAGE)
        _remove_all(opened)
        run(opened, paths.PROXY_NAME)
        yield opened
        _remove_all(opened)


@pytest.fixture
def environment(server: Server, cast: Cast) -> Environment:
    """One of Acme's, running as far as its row says."""
    project = make_project(cast.acme)
    sizes = {"cpu": Decimal(1), "memory_megabytes": 1024}
    return make_environment(project, server=server, status="running", **sizes)


@pytest.fixture
def containers(host: Host, environment: Environment) -> dict[str, str]:
    """The environment's containers, network and folder on the server; their names by part."""
    specification = specification_of(environment)
    ensure_network(host, specification)
    host.files.make_directory(specification.directory / "data", mode=0o700)
    host.files.write(specification.directory / "data" / "precious", b"precious")
    names = {part: specification.container_name(part) for part in ("db", "pgbouncer", "odoo")}
    for part, name in names.items():
        run(host, name, network=specification.network_name, labels={ENVIRONMENT_LABEL: str(environment.pk)}, said=part)
    return names


@pytest.fixture
def finish() -> Callable[[Operation], Operation]:
    """Works on an operation to its end, in a thread: this one has the server open already, a worker has not."""

    def work(operation: Operation) -> None:
        try:
            run_operation(operation.pk)
        finally:
            connections.close_all()

    def finished(operation: Operation) -> Operation:
        thread = threading.Thread(target=work, args=[operation])
        thread.start()
        thread.join(120)
        operation.refresh_from_db()
        return operation

    return finished


def run(host: Host, name: str, *, said: str = "", **options: Any) -> None:
    """Starts a container that stays."""
    host.docker.containers.run(IMAGE, ["sh", "-c", SHELL, said], name=name, detach=True, init=True, **options)


def _remove_all(host: Host) -> None:
    for container in host.docker.containers.list(all=True, ignore_removed=True):
        container.remove(force=True)
    for network in host.docker.networks.list(filters={"label": ENVIRONMENT_LABEL}):
        network.remove()
    host.run(["rm", "-rf", paths.environments_directory(), paths.trash_directory()])
