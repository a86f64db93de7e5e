"""The containers of an environment, as plain values. Pure; held by golden files.

Nothing here is published on the host, nothing runs as root or with a capability, and secrets are in mounted files or
in the body of the API's request, never in a command line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal

from apps.environments.render_postgres import HBA_FILE, PGBOUNCER_INI, SUPERUSER_PASSWORD_FILE, postgres_arguments
from apps.environments.render_specification import (
    CONFIGURATION_FILE,
    DATA_DIRECTORY,
    PLATFORM_ADDONS,
    START_SCRIPT,
    EnvironmentSpecification,
    Image,
)

PGDATA = "/var/lib/postgresql/data"
LABEL = "sh.oec"
DIGEST_LABEL = f"{LABEL}.digest"
ENVIRONMENT_LABEL = f"{LABEL}.environment"
PART_LABEL = f"{LABEL}.part"
SLOT_LABEL = f"{LABEL}.slot"


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host inside the container."""

    source: str
    target: str
    read_only: bool = True


@dataclass(frozen=True)
class ContainerSpecification:
    """A long-running container. Memory in megabytes, CPU in cores, times in seconds."""

    name: str
    image: str
    command: tuple[str, ...]
    user: str
    network: str
    address: str
    alias: str
    memory_megabytes: int
    cpu: Decimal
    pids_limit: int
    mounts: tuple[Mount, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    shared_memory_megabytes: int = 64
    stop_signal: str = "SIGTERM"
    stop_timeout: int = 30
    restart: str = "unless-stopped"
    log_size_megabytes: int = 10
    log_files: int = 3
    # Digests of mounted files, and what else is in no other value here, so that a change of it is another container.
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Two specifications with one digest make the same container. Left out is what may differ between a container
        and its successor of the same content, or changes in place: name, address, labels, limits."""
        values = asdict(self)
        for changeable in ("name", "address", "alias", "labels", "memory_megabytes", "cpu"):
            del values[changeable]
        return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def database_container(specification: EnvironmentSpecification, files: Mapping[str, str]) -> ContainerSpecification:
    """PostgreSQL over the environment's own data folder."""
    allocation = specification.allocation
    image = _required(specification.postgres, "PostgreSQL")
    directory = specification.directory
    return ContainerSpecification(
        name=specification.container_name("db"),
        image=image.reference,
        command=tuple(postgres_arguments(specification)),
        user=image.user,
        network=specification.network_name,
        address=specification.address("db"),
        alias="db",
        memory_megabytes=allocation.postgres_memory_megabytes,
        cpu=specification.cpu_of(allocation.postgres_cpu),
        pids_limit=specification.max_connections + 64,
        mounts=(
            Mount(str(directory / "postgres"), PGDATA, read_only=False),
            Mount(str(directory / "config" / "db"), HBA_FILE.rpartition("/")[0]),
        ),
        environment={"PGDATA": PGDATA, "POSTGRES_PASSWORD_FILE": SUPERUSER_PASSWORD_FILE},
        labels=_labels(specification, "db"),
        # Parallel queries share memory through /dev/shm.
        shared_memory_megabytes=max(64, allocation.postgres_memory_megabytes // 4),
        # Fast shutdown: open transactions are rolled back, nothing has to be recovered at the next start.
        stop_signal="SIGINT",
        stop_timeout=60,
        files=files,
    )


def pgbouncer_container(specification: EnvironmentSpecification, files: Mapping[str, str]) -> ContainerSpecification:
    """PgBouncer with its configuration mounted."""
    allocation = specification.allocation
    image = _required(specification.pgbouncer, "PgBouncer")
    return ContainerSpecification(
        name=specification.container_name("pgbouncer"),
        image=image.reference,
        command=("pgbouncer", PGBOUNCER_INI),
        user=image.user,
        network=specification.network_name,
        address=specification.address("pgbouncer"),
        alias="pgbouncer",
        memory_megabytes=allocation.pgbouncer_memory_megabytes,
        cpu=specification.cpu_of(allocation.pgbouncer_cpu),
        pids_limit=32,
        mounts=(Mount(str(specification.directory / "config" / "pgbouncer"), PGBOUNCER_INI.rpartition("/")[0]),),
        labels=_labels(specification, "pgbouncer"),
        # SIGINT waits for queries to end, SIGTERM of older versions cuts them.
        stop_signal="SIGINT",
        stop_timeout=10,
        files=files,
    )


def odoo_container(
    specification: EnvironmentSpecification, *, configuration: str, release: str
) -> ContainerSpecification:
    """Odoo. `configuration` is the digest of its odoo.conf, which names the folder that holds it, so that the
    container which still serves keeps its own."""
    allocation = specification.allocation
    image = _required(specification.odoo, "Odoo")
    return ContainerSpecification(
        name=specification.container_name(specification.slot),
        image=image.reference,
        command=start_command(specification),
        user=image.user,
        network=specification.network_name,
        address=specification.address(specification.slot),
        alias="odoo",
        memory_megabytes=allocation.odoo_memory_megabytes,
        cpu=specification.cpu_of(allocation.odoo_cpu),
        pids_limit=512 + 32 * allocation.processes,
        mounts=odoo_mounts(specification, configuration),
        environment=odoo_environment(specification),
        labels=_labels(specification, "odoo") | {f"{LABEL}.release": release, SLOT_LABEL: specification.slot},
        stop_timeout=30,
        # Odoo reads its address from the database once, and remembers it.
        files={"web.base.url": f"{specification.host_name}:{specification.https_port}"},
    )


def odoo_command(*arguments: str) -> tuple[str, ...]:
    """Odoo with its configuration. Through `env`, because the official image's entry point would otherwise add the
    database's password to the command line and wait up to seconds for a database which is ready."""
    return ("env", "odoo", f"--config={CONFIGURATION_FILE}", *arguments)


def start_command(specification: EnvironmentSpecification) -> tuple[str, ...]:
    """Odoo that serves: by the platform's own script, which does Odoo's imports while the database is prepared."""
    if not specification.platform_addons:
        return odoo_command()
    return ("env", "python3", START_SCRIPT, f"--config={CONFIGURATION_FILE}")


def odoo_mounts(specification: EnvironmentSpecification, configuration: str) -> tuple[Mount, ...]:
    """Data, configuration, the platform's module, and the source folders, those read-only."""
    directory = specification.directory
    platform = [Mount(specification.platform_addons, PLATFORM_ADDONS)] if specification.platform_addons else []
    return (
        Mount(str(directory / "data"), DATA_DIRECTORY, read_only=False),
        Mount(str(directory / "config" / f"odoo-{configuration}"), CONFIGURATION_FILE.rpartition("/")[0]),
        *platform,
        *(Mount(folder.host, folder.mount_point) for folder in specification.addons),
    )


def odoo_environment(specification: EnvironmentSpecification) -> dict[str, str]:
    """The customer's variables, and nothing of ours."""
    return dict(specification.variables)


def _labels(specification: EnvironmentSpecification, part: str) -> dict[str, str]:
    return {
        ENVIRONMENT_LABEL: specification.identifier,
        f"{LABEL}.organization": specification.organization,
        PART_LABEL: part,
    }


def _required(image: Image | None, what: str) -> Image:
    if image is None:
        raise ValueError(f"The specification names no image for {what}.")
    return image
