"""What an environment does on its host. Every function looks first and acts on the difference ("ensure").

Names of containers, networks and folders come from the environment's id. Nothing here deletes data: destroying
renames the folder (see `runtime_trash.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import docker.errors

from apps.core.exceptions import Problem
from apps.environments import runtime_messages  # noqa: F401  (registers the texts)
from apps.environments.render_containers import (
    ContainerSpecification,
    database_container,
    odoo_container,
    pgbouncer_container,
)
from apps.environments.render_specification import EnvironmentSpecification
from apps.environments.runtime_containers import (
    ensure_container,
    find_container,
    last_lines,
    remove_container,
    rename_container,
    set_limits,
    start_container,
    state_of,
    stop_container,
)
from apps.environments.runtime_database import (
    adopt_statements,
    create_statements,
    run_sql,
)
from apps.environments.runtime_files import (
    configuration_digest,
    database_entries,
    digests,
    pgbouncer_entries,
    write_entries,
)
from apps.environments.runtime_network import ensure_network as ensure_network
from apps.environments.runtime_network import remove_network
from apps.environments.runtime_trash import set_aside
from apps.servers.host import Host

# In the order in which they need each other.
PARTS = ("db", "pgbouncer", "odoo")
SUCCESSOR = "odoo_next"
STOP_SECONDS = {"db": 60, "pgbouncer": 10, "odoo": 30, SUCCESSOR: 30}


@dataclass(frozen=True)
class PartState:
    """What one container does: Docker's word for it, how often it was restarted, whether memory ran out."""

    state: str
    restarts: int = 0
    out_of_memory: bool = False
    exit_code: int = 0


def ensure_database(
    host: Host,
    specification: EnvironmentSpecification,
    *,
    copied_from: tuple[str, str] | None = None,
    more_statements: str = "",
) -> bool:
    """PostgreSQL runs and is ready, with Odoo's role and database; True when its container was made anew.

    `copied_from` (database, role) are the names inside a data folder that was copied from elsewhere. Statements that
    are given as well run last, inside the environment's database.
    """
    is_new = ensure_database_container(host, specification)
    prepare_database(host, specification, copied_from=copied_from, more_statements=more_statements)
    return is_new


def prepare_database(
    host: Host,
    specification: EnvironmentSpecification,
    *,
    copied_from: tuple[str, str] | None = None,
    more_statements: str = "",
) -> None:
    """The second half of `ensure_database`: waits for PostgreSQL, then role, database and statements."""
    if copied_from:
        statements = adopt_statements(specification, database=copied_from[0], role=copied_from[1])
    else:
        statements = create_statements(specification)
    run_sql(host, specification, statements + more_statements)


def ensure_database_container(host: Host, specification: EnvironmentSpecification, *, begin: bool = True) -> bool:
    """PostgreSQL's container is there (and runs, where `begin`, which does not mean that it is ready yet); True when
    it was made anew."""
    entries = database_entries(specification)
    wanted = database_container(specification, digests(entries))
    write_entries(host, specification, entries)
    return ensure_container(host, wanted, start=begin)


def ensure_pgbouncer(host: Host, specification: EnvironmentSpecification) -> bool:
    """PgBouncer runs with the present configuration, or is gone where it is not wanted; True when something changed."""
    name = specification.container_name("pgbouncer")
    if not specification.use_pgbouncer:
        found = find_container(host, name)
        remove_container(host, name, timeout=STOP_SECONDS["pgbouncer"])
        return found is not None
    entries = pgbouncer_entries(specification)
    write_entries(host, specification, entries)
    return ensure_container(host, pgbouncer_container(specification, digests(entries)))


def configuration_of(specification: EnvironmentSpecification, *, release: str) -> ContainerSpecification:
    """The Odoo container of a release, in the slot that the specification names."""
    return odoo_container(specification, configuration=configuration_digest(specification), release=release)


def ensure_odoo(host: Host, specification: EnvironmentSpecification, *, release: str, begin: bool = True) -> bool:
    """Odoo's container of this release exists (and runs, where `begin`); True when it was made anew."""
    return ensure_odoo_container(host, configuration_of(specification, release=release), begin=begin)


def ensure_odoo_container(host: Host, wanted: ContainerSpecification, *, begin: bool = True) -> bool:
    """The same for a specification of the container that is there already."""
    return ensure_container(host, wanted, start=begin)


def replace_odoo(host: Host, specification: EnvironmentSpecification) -> None:
    """The successor takes the name of Odoo's container, and the one that served before is stopped and removed."""
    name, successor = specification.container_name("odoo"), specification.container_name(SUCCESSOR)
    if find_container(host, successor) is None:
        return
    remove_container(host, name, timeout=STOP_SECONDS["odoo"])
    rename_container(host, successor, name)


def start(host: Host, specification: EnvironmentSpecification) -> None:
    """Starts what is there, in order. Raises Problem `environments.part_missing` where nothing was deployed, and
    `environments.part_does_not_run` for a part that ends at once."""
    _each(specification, PARTS, lambda name: start_container(host, name))
    _wait_running(host, specification)


def stop(host: Host, specification: EnvironmentSpecification) -> None:
    """Stops everything in reverse order, Odoo first."""
    for part in (SUCCESSOR, *reversed(PARTS)):
        stop_part(host, specification, part)


def start_part(host: Host, specification: EnvironmentSpecification, part: str) -> None:
    """Starts one container; harmless where it runs."""
    start_container(host, specification.container_name(part))


def stop_part(host: Host, specification: EnvironmentSpecification, part: str) -> None:
    """Stops one container; harmless where there is none."""
    stop_container(host, specification.container_name(part), timeout=STOP_SECONDS[part])


def remove_part(host: Host, specification: EnvironmentSpecification, part: str) -> None:
    """Stops and removes one container. Its data stays: it lies in a folder."""
    remove_container(host, specification.container_name(part), timeout=STOP_SECONDS[part])


def restart(host: Host, specification: EnvironmentSpecification) -> None:
    """Odoo and PgBouncer anew; PostgreSQL goes on."""
    for part in ("odoo", "pgbouncer"):
        stop_part(host, specification, part)
    start(host, specification)


def pause(host: Host, specification: EnvironmentSpecification) -> None:
    """Freezes the processes where they are: nothing runs, memory stays taken."""
    _each(specification, tuple(reversed(PARTS)), lambda name: _unless(host, name, "paused", host.docker.api.pause))


def resume(host: Host, specification: EnvironmentSpecification) -> None:
    """Lets frozen processes go on."""
    _each(specification, PARTS, lambda name: _only(host, name, "paused", host.docker.api.unpause))


def resize(host: Host, specification: EnvironmentSpecification) -> None:
    """CPU and memory of what runs, at once. What Odoo and PostgreSQL derive from it needs a deployment."""
    allocation = specification.allocation
    limits = {
        "db": (allocation.postgres_memory_megabytes, allocation.postgres_cpu),
        "pgbouncer": (allocation.pgbouncer_memory_megabytes, allocation.pgbouncer_cpu),
        "odoo": (allocation.odoo_memory_megabytes, allocation.odoo_cpu),
    }
    for part, (memory, cpu) in limits.items():
        if memory and cpu:
            set_limits(host, specification.container_name(part), memory, specification.limit_cpu(cpu))


def remove(host: Host, specification: EnvironmentSpecification) -> None:
    """Takes the environment off the server: containers and network go, the folder is renamed into the trash."""
    for part in (SUCCESSOR, *reversed(PARTS)):
        remove_part(host, specification, part)
    remove_network(host, specification)
    set_aside(host, specification)


def read_state(host: Host, specification: EnvironmentSpecification) -> dict[str, PartState]:
    """What each container does now; `missing` where there is none."""
    found = {part: find_container(host, specification.container_name(part)) for part in PARTS}
    return {
        part: PartState(
            state=state_of(container),
            restarts=container["RestartCount"] if container else 0,
            out_of_memory=bool(container and container["State"].get("OOMKilled")),
            exit_code=container["State"]["ExitCode"] if container else 0,
        )
        for part, container in found.items()
    }


def in_slot(specification: EnvironmentSpecification, slot: str, address: str) -> EnvironmentSpecification:
    """The same for another container of Odoo under an address of its own."""
    return replace(specification, slot=slot, addresses={**specification.addresses, slot: address})


def _parts(specification: EnvironmentSpecification, parts: tuple[str, ...]) -> list[str]:
    return [part for part in parts if part != "pgbouncer" or specification.use_pgbouncer]


def _each(specification: EnvironmentSpecification, parts: tuple[str, ...], act: Callable[[str], None]) -> None:
    for part in _parts(specification, parts):
        try:
            act(specification.container_name(part))
        except docker.errors.NotFound as error:
            raise Problem("environments.part_missing", part=part) from error


def _only(host: Host, name: str, state: str, act: Callable[[str], None]) -> None:
    if state_of(find_container(host, name)) == state:
        act(name)


def _unless(host: Host, name: str, state: str, act: Callable[[str], None]) -> None:
    if state_of(find_container(host, name)) != state:
        act(name)


def _wait_running(host: Host, specification: EnvironmentSpecification, seconds: float = 2) -> None:
    """A container that ends at once is told with its own words, not as a success."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for part in _parts(specification, PARTS):
            name = specification.container_name(part)
            if state_of(find_container(host, name)) != "running":
                lines = " / ".join(last_lines(host, name, 6))
                raise Problem("environments.part_does_not_run", part=part, lines=lines)
        time.sleep(0.5)
