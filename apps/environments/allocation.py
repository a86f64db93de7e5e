"""From what an environment is given to what each of its parts gets. Pure: no database, no host.

Megabytes are 2**20 bytes. Sources: 30 % for PostgreSQL (specification); Odoo's deployment guide: a light worker needs
about 150 MB, a heavy one 1 GB, one in five is heavy; `workers = 2 x CPU + 1` at the most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from apps.core.exceptions import Problem

MINIMUM_CPU = Decimal("0.25")
MINIMUM_MEMORY_MEGABYTES = 512
MINIMUM_DISK_MEGABYTES = 1024
MAXIMUM_WORKERS = 64

POSTGRES_SHARE = Decimal("0.30")
PGBOUNCER_MEMORY_MEGABYTES = 32
PGBOUNCER_CPU = Decimal("0.10")

LIGHT_WORKER_MEGABYTES = 150
HEAVY_WORKER_MEGABYTES = 1024
EXPECTED_WORKER_MEGABYTES = (4 * LIGHT_WORKER_MEGABYTES + HEAVY_WORKER_MEGABYTES) // 5

LIMIT_SOFT_MEGABYTES = 2048
LIMIT_HARD_MEGABYTES = 2560
# The virtual size of a worker of Odoo 19 that has just started is 290 MB; it doubles with reports and assets.
SMALLEST_LIMIT_MEGABYTES = 640
# Each of up to eight threads adds a stack of 8 MB and an arena of 64 MB.
SMALLEST_LIMIT_WITH_THREADS_MEGABYTES = 1280

# Odoo's connections per process. A worker serves one request at a time and seldom holds more than three.
CONNECTIONS_PER_PROCESS = 8
CONNECTIONS_WITHOUT_WORKERS = 16
SMALLEST_POOL = 20
FEWEST_CONNECTIONS = 4
# Not for Odoo's processes: superuser_reserved_connections (3), installs and updates, backups, monitoring.
RESERVED_CONNECTIONS = 20
CONNECTION_MEGABYTES = 4


@dataclass(frozen=True)
class Defaults:
    """What a new environment of a type gets."""

    cpu: Decimal
    memory_megabytes: int
    disk_megabytes: int
    auto_deploy: bool = False


DEFAULTS = {
    "development": Defaults(Decimal(1), 2048, 10 * 1024),
    "staging": Defaults(Decimal(2), 4096, 20 * 1024),
    "production": Defaults(Decimal(4), 8192, 40 * 1024),
}


@dataclass(frozen=True)
class Tuning:
    """Numbers that follow from an allocation where nobody chose others."""

    workers: int
    max_cron_threads: int
    db_maxconn: int
    pool_size: int
    max_connections: int


@dataclass(frozen=True)
class Allocation:
    """Who gets what: CPU in cores, memory in megabytes, Odoo's limits of one process in bytes (0: none)."""

    cpu: Decimal
    memory_megabytes: int
    postgres_cpu: Decimal
    postgres_memory_megabytes: int
    pgbouncer_cpu: Decimal
    pgbouncer_memory_megabytes: int
    odoo_cpu: Decimal
    odoo_memory_megabytes: int
    workers: int
    max_cron_threads: int
    limit_memory_soft: int
    limit_memory_hard: int

    @property
    def has_gevent(self) -> bool:
        """A second Odoo process for websockets or long polling runs only beside workers."""
        return self.workers > 0

    @property
    def processes(self) -> int:
        """Odoo processes with a pool of connections each."""
        return count_processes(self.workers, self.max_cron_threads)


def count_processes(workers: int, max_cron_threads: int) -> int:
    """Workers, cron workers and gevent; without workers everything is threads of one process."""
    return workers + max_cron_threads + 1 if workers else 1


def tune(
    *, cpu: Decimal, memory_megabytes: int, use_pgbouncer: bool, chosen: Mapping[str, int] | None = None
) -> Tuning:
    """Workers, cron threads and connections for an allocation. Numbers that somebody chose (by the names in `Tuning`)
    stay, and the others follow from them; without any the result always passes `check_connections`."""
    chosen = chosen or {}
    cron = chosen.get("max_cron_threads", 2 if memory_megabytes >= 4096 else 1)
    workers = chosen.get("workers", _affordable_workers(cpu, _odoo_memory(memory_megabytes, use_pgbouncer), cron))
    processes = count_processes(workers, cron)
    limit = chosen.get("max_connections", 10**6) - RESERVED_CONNECTIONS
    if use_pgbouncer:
        limit = min(limit, chosen.get("pool_size", limit))
    usual = CONNECTIONS_PER_PROCESS if workers else CONNECTIONS_WITHOUT_WORKERS
    maxconn = chosen.get("db_maxconn", max(FEWEST_CONNECTIONS, min(usual, limit // processes)))
    pool = chosen.get("pool_size", max(SMALLEST_POOL, processes * maxconn))
    wanted = max(pool, processes * maxconn) + RESERVED_CONNECTIONS
    most = max(_most_connections(memory_megabytes), chosen.get("pool_size", 0) + RESERVED_CONNECTIONS)
    connections = chosen.get("max_connections", min(wanted, most))
    if "pool_size" not in chosen:
        pool = min(pool, max(connections - RESERVED_CONNECTIONS, FEWEST_CONNECTIONS))
    return Tuning(workers, cron, maxconn, pool, connections)


def split(
    *, cpu: Decimal, memory_megabytes: int, workers: int, max_cron_threads: int, use_pgbouncer: bool
) -> Allocation:
    """PostgreSQL gets 30 %, PgBouncer a little, Odoo the rest; one Odoo process stays below its container's limit."""
    postgres_cpu = _hundredths(cpu * POSTGRES_SHARE)
    pgbouncer_cpu = min(PGBOUNCER_CPU, _hundredths(cpu / 20)) if use_pgbouncer else Decimal(0)
    odoo_memory = _odoo_memory(memory_megabytes, use_pgbouncer)
    soft, hard = _process_limits(odoo_memory, workers)
    return Allocation(
        cpu=cpu,
        memory_megabytes=memory_megabytes,
        postgres_cpu=postgres_cpu,
        postgres_memory_megabytes=_postgres_memory(memory_megabytes),
        pgbouncer_cpu=pgbouncer_cpu,
        pgbouncer_memory_megabytes=PGBOUNCER_MEMORY_MEGABYTES if use_pgbouncer else 0,
        odoo_cpu=cpu - postgres_cpu - pgbouncer_cpu,
        odoo_memory_megabytes=odoo_memory,
        workers=workers,
        max_cron_threads=max_cron_threads,
        limit_memory_soft=soft * 2**20,
        limit_memory_hard=hard * 2**20,
    )


def check_connections(
    *, workers: int, max_cron_threads: int, db_maxconn: int, pool_size: int, max_connections: int, use_pgbouncer: bool
) -> None:
    """Refuses numbers with which Odoo would run out of connections under load.

    Raises Problem `environments.too_many_connections` with the sum, or `environments.pool_too_large`.
    """
    processes = count_processes(workers, max_cron_threads)
    needed = processes * db_maxconn
    parts = f"{workers} workers + {max_cron_threads} cron + 1 gevent" if workers else "1 process without workers"
    available = pool_size if use_pgbouncer else max_connections - RESERVED_CONNECTIONS
    if needed > available:
        raise Problem(
            "environments.too_many_connections",
            sum=f"({parts}) x db_maxconn {db_maxconn} = {needed}",
            available=available,
            where="PgBouncer's pool size" if use_pgbouncer else "max_connections less those kept for maintenance",
            largest=max(available // processes, 0),
        )
    if use_pgbouncer and pool_size + RESERVED_CONNECTIONS > max_connections:
        raise Problem(
            "environments.pool_too_large",
            pool_size=pool_size,
            reserved=RESERVED_CONNECTIONS,
            max_connections=max_connections,
        )


def check_workers(*, workers: int, max_cron_threads: int, memory_megabytes: int, use_pgbouncer: bool) -> None:
    """Refuses more processes than fit into Odoo's memory even when every one of them is light.

    Raises Problem `environments.too_many_workers`.
    """
    processes = count_processes(workers, max_cron_threads)
    available = _odoo_memory(memory_megabytes, use_pgbouncer)
    if workers and processes * LIGHT_WORKER_MEGABYTES > available:
        raise Problem(
            "environments.too_many_workers",
            processes=processes,
            needed=processes * LIGHT_WORKER_MEGABYTES,
            available=available,
        )


def _affordable_workers(cpu: Decimal, odoo_memory: int, cron: int) -> int:
    """Two for each core as far as the memory carries them; fewer than two are slower than none."""
    affordable = (odoo_memory - (cron + 1) * LIGHT_WORKER_MEGABYTES) // EXPECTED_WORKER_MEGABYTES
    workers = min(int(cpu * 2), affordable, MAXIMUM_WORKERS)
    return workers if workers >= 2 else 0


def _most_connections(memory_megabytes: int) -> int:
    """What nobody is given unasked: an idle connection with its caches takes some megabytes of PostgreSQL's share."""
    return max(100, _postgres_memory(memory_megabytes) // CONNECTION_MEGABYTES)


def _postgres_memory(memory_megabytes: int) -> int:
    return int(memory_megabytes * POSTGRES_SHARE)


def _odoo_memory(memory_megabytes: int, use_pgbouncer: bool) -> int:
    rest = memory_megabytes - _postgres_memory(memory_megabytes)
    return rest - PGBOUNCER_MEMORY_MEGABYTES if use_pgbouncer else rest


def _process_limits(odoo_memory: int, workers: int) -> tuple[int, int]:
    """Soft and hard limit of one process, in megabytes: below the container's limit, so that Odoo ends a process that
    grows before the kernel ends all of them. Odoo compares them with the virtual size, which is a multiple of what
    is used, and more so where one process has many threads (no workers): where the container is too small for that,
    there are none, and the container's limit alone holds."""
    hard = min(LIMIT_HARD_MEGABYTES, odoo_memory * 90 // 100)
    if hard < (SMALLEST_LIMIT_MEGABYTES if workers else SMALLEST_LIMIT_WITH_THREADS_MEGABYTES):
        return 0, 0
    return min(LIMIT_SOFT_MEGABYTES, hard * 80 // 100), hard


def _hundredths(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
