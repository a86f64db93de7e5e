"""What the tests of servers share: a lab server as a row of Acme's, and an engine's run to log into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from apps.core import clock
from apps.operations.models import Operation
from apps.servers import keys, services
from apps.servers.host import Host, open_host
from apps.servers.host.connection import Endpoint
from apps.servers.models import Server, SSHKey
from tests.cast import Cast
from tests.servers.pages import HOST_KEY
from tests.servers.preparing import finish

if TYPE_CHECKING:
    from tests.lab.lab import Lab
    from tests.lab.server import LabServer


@pytest.fixture
def make_key(cast: Cast) -> Callable[..., SSHKey]:
    """`make_key(private_key=…)`: a key of Acme's."""

    def make(private_key: str = "", passphrase: str = "", **fields: Any) -> SSHKey:
        pair = keys.parse(private_key, passphrase) if private_key else keys.generate()
        values = {
            "organization": cast.acme,
            "name": f"key {SSHKey.objects.count()}",
            "public_key": pair.public_key,
            "private_key": private_key or pair.private_text,
            "passphrase": passphrase,
            "fingerprint": pair.fingerprint,
        }
        return SSHKey.objects.create(**values | fields)

    return make


@pytest.fixture
def make_server(cast: Cast, make_key: Callable[..., SSHKey]) -> Callable[..., Server]:
    """`make_server(status="ready")`: a server of Acme's that nobody can reach."""

    def make(**fields: Any) -> Server:
        number = Server.objects.count() + 1
        values = {
            "organization": cast.acme,
            "name": f"Web {number}",
            "slug": f"web-{number}",
            "address": f"192.0.2.{number}",
        }
        if "ssh_key" not in fields:
            fields["ssh_key"] = make_key(organization=fields.get("organization", cast.acme))
        return Server.objects.create(**values | fields)

    return make


@pytest.fixture
def reach(make_server: Callable[..., Server], make_key: Callable[..., SSHKey]) -> Callable[..., Server]:
    """`reach(lab_server)`: the row of a lab server, its host key pinned, with the key that the lab gave it. The machine
    is nobody's, unless `is_fresh=False` leaves it as it is."""

    def make(machine: LabServer, is_fresh: bool = True, **fields: Any) -> Server:
        if is_fresh and machine.is_running:
            machine.forget_owner()
        values = {
            "address": machine.address,
            "port": machine.port,
            "user": machine.user,
            "ssh_key": make_key(private_key=machine.private_key),
            "host_key": machine.host_key,
            "host_key_fingerprint": keys.fingerprint(machine.host_key),
        }
        return make_server(**values | fields)

    return make


@pytest.fixture
def endpoint() -> Callable[..., Endpoint]:
    """`endpoint(lab_server, port=1)`: how to reach a lab server, no database needed."""

    def make(machine: LabServer, **fields: Any) -> Endpoint:
        values = {
            "address": machine.address,
            "port": machine.port,
            "user": machine.user,
            "key": keys.parse(machine.private_key),
            "host_key": machine.host_key,
        }
        return Endpoint(**values | fields)

    return make


@pytest.fixture
def host(lab_server: LabServer, endpoint: Callable[..., Endpoint]) -> Iterator[Host]:
    """An open connection to the lab's server alpha."""
    opened = Host(endpoint(lab_server))
    yield opened
    opened.close()


@pytest.fixture
def opened(reach: Callable[..., Server]) -> Callable[[LabServer], Any]:
    """`with opened(lab_server) as host`: through the front door, by the row."""

    def make(machine: LabServer) -> Any:
        return open_host(reach(machine))

    return make


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """Acme's server: prepared, and nothing listens at its address."""
    return make_server(
        name="Web",
        slug="web",
        address="127.0.0.1",
        port=9,
        host_key=HOST_KEY,
        host_key_fingerprint=keys.fingerprint(HOST_KEY),
        status="ready",
        bootstrapped_at=clock.now(),
    )


@pytest.fixture
def prepare(cast: Cast, lab: Lab) -> Callable[[Server], Operation]:
    """`prepare(server)`: prepares a lab server as a worker would, and returns how it went. The images come from the
    lab's registry by their usual names."""
    lab.serve_images(["traefik", "busybox"])

    def work(server: Server) -> Operation:
        return finish(services.bootstrap(server=server, actor=cast.alice))

    return work
