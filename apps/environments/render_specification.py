"""What an environment is on its host, as plain values: the input of everything that renders or runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import PurePosixPath

from apps.environments.allocation import Allocation
from apps.environments.models import Environment
from apps.servers import paths

# What starts may use twice the whole allocation: Odoo imports everything twice then, for its pages and its websockets.
STARTING_FACTOR = 2
ROLE_NAME = "odoo"
# Where things lie inside the containers.
DATA_DIRECTORY = "/var/lib/odoo"
CONFIGURATION_FILE = "/etc/odoo/odoo.conf"
ADDONS_ROOT = "/mnt/addons"
PLATFORM_ADDONS = "/mnt/oecsh"
START_SCRIPT = f"{PLATFORM_ADDONS}/oecsh_scripts/start.py"
# Beside odoo.conf: its presence lets Odoo go on to its database.
GATE_FILE = "ready"
HTTP_PORT = 8069
GEVENT_PORT = 8072
POSTGRES_PORT = 5432
PGBOUNCER_PORT = 6432


@dataclass(frozen=True)
class Image:
    """An image as it lies on the server, and who its processes run as there."""

    reference: str
    uid: int
    gid: int
    # Odoo images only: the folders that the image's own configuration names.
    addons_path: tuple[str, ...] = ()

    @property
    def user(self) -> str:
        """As Docker takes it."""
        return f"{self.uid}:{self.gid}"


@dataclass(frozen=True)
class AddonsFolder:
    """Source of modules: a folder on the host, mounted read-only, and the folders inside it that hold modules (`.`
    for itself)."""

    host: str
    name: str
    directories: tuple[str, ...] = (".",)

    @property
    def mount_point(self) -> str:
        """Where the folder appears in the container."""
        return f"{ADDONS_ROOT}/{self.name}"

    @property
    def addons_paths(self) -> list[str]:
        """What addons_path names."""
        return [self.mount_point if part == "." else f"{self.mount_point}/{part}" for part in self.directories]


@dataclass(frozen=True)
class EnvironmentSpecification:
    """One environment. Images and addons are those of a release; an action that makes no container leaves them out.

    `slot` tells the two Odoo containers apart that exist while a deployment replaces one by the other: each has an
    address of its own.
    """

    identifier: str
    organization: str
    odoo_version: str
    host_name: str
    https_port: int
    allocation: Allocation
    server_cpu: Decimal
    db_maxconn: int
    pool_size: int
    pool_mode: str
    max_connections: int
    use_pgbouncer: bool
    subnet: str
    addresses: Mapping[str, str]
    database_name: str
    database_password: str = field(repr=False)
    master_password: str = field(repr=False)
    postgres_parameters: Mapping[str, object] = field(default_factory=dict)
    odoo_parameters: Mapping[str, object] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    demo_data: bool = False
    odoo: Image | None = None
    postgres: Image | None = None
    pgbouncer: Image | None = None
    addons: tuple[AddonsFolder, ...] = ()
    platform_addons: str = ""
    slot: str = "odoo"
    # While a deployment starts it, a part may use more than its share, for seconds. What else runs on the server then
    # shares the cores with it as Linux shares them.
    is_boosted: bool = False

    @property
    def major(self) -> int:
        """14 for 14.0."""
        return int(self.odoo_version.partition(".")[0])

    @property
    def directory(self) -> PurePosixPath:
        """Its folder on the host."""
        return paths.ROOT / "envs" / self.identifier

    @property
    def network_name(self) -> str:
        """Its own network."""
        return f"{self.identifier}_network"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that no log may show."""
        return (self.database_password, self.master_password)

    def container_name(self, part: str) -> str:
        """The name of a container: `odoo`, `odoo_next`, `db` or `pgbouncer`."""
        return f"{self.identifier}_{part}"

    def address(self, part: str) -> str:
        """The fixed address of a part in the environment's network."""
        return self.addresses[part]

    def with_release(self, **values: object) -> EnvironmentSpecification:
        """The same with the images and addons of a release."""
        return replace(self, **values)

    def cpu_of(self, share: Decimal) -> Decimal:
        """The cores that a container gets of its share."""
        return self.limit_cpu(self.allocation.cpu * STARTING_FACTOR if self.is_boosted else share)

    def limit_cpu(self, cpu: Decimal) -> Decimal:
        """Docker refuses more cores than the server has, and less than a hundredth."""
        return max(min(cpu, self.server_cpu), Decimal("0.01"))


def specification_of(environment: Environment) -> EnvironmentSpecification:
    """The specification of a stored environment, without what its release adds."""
    server = environment.server
    cores = server.facts.get("cpu_count") if server else None
    return EnvironmentSpecification(
        identifier=str(environment.pk),
        organization=str(environment.project.organization_id),
        odoo_version=environment.project.odoo_version,
        host_name=environment.host_name,
        https_port=server.https_port if server else 443,
        allocation=environment.allocation,
        server_cpu=Decimal(cores) if cores else environment.cpu,
        db_maxconn=environment.db_maxconn,
        pool_size=environment.pool_size,
        pool_mode=environment.pool_mode,
        max_connections=environment.max_connections,
        use_pgbouncer=environment.use_pgbouncer,
        subnet=environment.subnet,
        addresses=dict(environment.addresses),
        database_name=environment.database_name,
        database_password=environment.database_password,
        master_password=environment.master_password,
        postgres_parameters=dict(environment.postgres_parameters),
        odoo_parameters=dict(environment.odoo_parameters),
        variables={variable.key: variable.value for variable in environment.variables.all()},
        demo_data=environment.demo_data,
    )
