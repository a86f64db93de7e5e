"""What the tests of names, certificates and routes share: a prepared server, a zone, an authority, an environment."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from apps.domains.models import BaseDomain, DnsProvider, DnsProviderKind
from apps.environments.models import Environment
from apps.operations.models import Operation
from apps.operations.runner import run_operation
from apps.orgs.models import Organization
from apps.projects.models import Project
from apps.servers import services as servers
from apps.servers import states
from apps.servers.host import Host, open_host
from apps.servers.models import Server
from tests.factories import put_crew_on

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.lab.acme import AcmeServer
    from tests.lab.dns import DnsServer
    from tests.lab.lab import Lab
    from tests.lab.server import LabServer


class Recorder:
    """A run that remembers its lines, and stops the work when told to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.stop: BaseException | None = None

    def info(self, text: str) -> None:
        self.lines.append(text)

    def warning(self, text: str) -> None:
        self.lines.append(f"WARNING {text}")

    def check(self) -> None:
        if self.stop is not None:
            raise self.stop

    def sleep(self, seconds: float) -> None:
        self.check()
        threading.Event().wait(seconds)
        self.check()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def run() -> Recorder:
    return Recorder()


def work(operation: Operation | None) -> Operation:
    """Works on an operation to its end and reads it anew."""
    assert operation is not None
    run_operation(operation.pk)
    operation.refresh_from_db()
    return operation


def log_of(operation: Operation) -> str:
    """All lines of an operation's log."""
    return "\n".join(operation.lines.order_by("sequence").values_list("text", flat=True))


def add_server(organization: Organization, machine: LabServer, actor: Any, **settings: Any) -> Server:
    """A server of the lab as a row, its host key confirmed."""
    machine.forget_owner()
    server = servers.add_server(
        organization=organization,
        name=machine.name,
        address=machine.address,
        actor=actor,
        private_key=machine.private_key,
        **settings,
    )
    return servers.confirm_host_key(server=server, host_key=machine.host_key, actor=actor)


def prepare(server: Server, actor: Any) -> Server:
    """The proxy and the responder run on the server."""
    operation = work(servers.bootstrap(server=server, actor=actor))
    assert operation.status == "completed", operation.error
    server.refresh_from_db()
    return server


@pytest.fixture
def everybody(transactional_db: None) -> Cast:
    """The cast, in a database whose rows other threads see."""
    from tests.cast import make_cast

    return make_cast()


@pytest.fixture(scope="session")
def mirror(lab: Lab) -> Iterator[None]:
    """The images, where the lab's engines look for them."""
    from images.registry import ensure_registry, stop_registry

    ensure_registry(lab.address, read_only=True)
    yield
    stop_registry(lab.address)


@pytest.fixture(scope="session")
def prepared_machines() -> set[str]:
    """The lab's machines that were prepared in this session: they stay so, while the rows about them go."""
    return set()


@pytest.fixture
def server(everybody: Cast, lab_server: LabServer, mirror: None, prepared_machines: set[str]) -> Server:
    """A prepared server, without routes and certificates."""
    server = add_server(everybody.acme, lab_server, everybody.alice)
    if lab_server.name in prepared_machines:
        states.bootstrapped(server)
    else:
        prepare(server, everybody.alice)
        prepared_machines.add(lab_server.name)
    forget_routes(lab_server)
    return server


def forget_routes(machine: LabServer) -> None:
    """Takes away what an earlier test left for the proxy."""
    for folder in ("dynamic", "certificates", "last-good"):
        for file in machine.path(f"/opt/oecsh/proxy/{folder}").glob("*"):
            file.unlink()


@pytest.fixture
def host(server: Server) -> Iterator[Host]:
    """The server's open connection."""
    with open_host(server) as host:
        yield host


@pytest.fixture
def zone(dns_server: DnsServer) -> Iterator[str]:
    """A fresh zone at the lab's DNS server."""
    name = f"apps-{uuid.uuid4().hex[:8]}.test"
    dns_server.add_zone(name)
    yield name
    dns_server.remove_zone(name)


@pytest.fixture
def authority(settings: Any, acme_server: AcmeServer, dns_server: DnsServer) -> str:
    """The lab's certificate authority as the configured one; returns its directory."""
    settings.ACME_DIRECTORY_URL = acme_server.directory_url
    settings.ACME_CA_FILE = str(acme_server.https_root)
    settings.DNS_SERVERS = [f"{dns_server.address}:{dns_server.port}"]
    return acme_server.directory_url


def make_provider(dns_server: DnsServer, **settings: Any) -> DnsProvider:
    """The lab's DNS server as a provider of the platform."""
    credentials = {"key_secret": settings.pop("key_secret", dns_server.key_secret)}
    settings = {"server": dns_server.address, "port": dns_server.port, "key_name": dns_server.key_name} | settings
    return DnsProvider.objects.create(
        name=f"Lab {uuid.uuid4().hex[:6]}",
        kind=DnsProviderKind.RFC2136,
        settings=settings,
        credentials=json.dumps(credentials),
    )


@pytest.fixture
def provider(db: None, dns_server: DnsServer) -> DnsProvider:
    return make_provider(dns_server)


@pytest.fixture
def base_domain(settings: Any, zone: str, provider: DnsProvider) -> BaseDomain:
    """The zone as the platform's base domain, with a provider that the platform writes to."""
    settings.BASE_DOMAIN = zone
    return BaseDomain.objects.create(name=zone, dns_provider=provider, is_default=True)


def make_environment(organization: Organization, server: Server | None, host_name: str, **fields: Any) -> Environment:
    """An environment as a row, on Odoo 19."""
    version = fields.pop("odoo_version", "19.0")
    project, _ = Project.objects.get_or_create(
        organization=organization, slug="shop", defaults={"name": "Shop", "odoo_version": version}
    )
    put_crew_on(project)
    identifier = uuid.uuid4()
    values = {
        "name": host_name,
        "slug": f"e-{identifier.hex[:8]}",
        "environment_type": "development",
        "branch": "main",
        "cpu": 1,
        "memory_megabytes": 2048,
        "disk_megabytes": 10240,
        "workers": 2,
        "max_cron_threads": 1,
        "db_maxconn": 16,
        "pool_size": 20,
        "max_connections": 100,
        "database_name": str(identifier),
    } | fields
    return Environment.objects.create(id=identifier, project=project, server=server, host_name=host_name, **values)


@pytest.fixture
def odoo(server: Server, lab_server: LabServer) -> Callable[..., str]:
    """`odoo(text)`: something that answers on port 8069 in the proxy's network; returns its name there."""
    started = []

    def start(text: str = "hello") -> str:
        name = f"oecsh-test-{uuid.uuid4().hex[:8]}"
        script = f"mkdir /www && echo {text} > /www/index.html && exec httpd -f -p 8069 -h /www"
        with contextlib.closing(lab_server.docker) as client:
            client.containers.run(
                "busybox:stable", ["sh", "-c", script], name=name, network="oecsh_proxy", detach=True, init=True
            )
        started.append(name)
        return name

    yield start
    with contextlib.closing(lab_server.docker) as client:
        for name in started:
            client.containers.get(name).remove(force=True)


class Company:
    """A company's API on a real socket: `answer(method, path, body, headers) -> (status, document)`."""

    def __init__(self, answer: Callable[..., tuple[int, Any]]) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                status, document = answer(self.command, self.path, self.rfile.read(length), dict(self.headers))
                data = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = do_PUT = handle_any

            def log_message(self, *arguments: Any) -> None:
                """Nothing: the tests look at what was stored."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def company() -> Iterator[Callable[..., Company]]:
    """`company(answer)` starts one."""
    started: list[Company] = []

    def start(answer: Callable[..., tuple[int, Any]]) -> Company:
        started.append(Company(answer))
        return started[-1]

    yield start
    for one in started:
        one.close()
