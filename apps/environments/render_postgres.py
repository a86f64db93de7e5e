"""PostgreSQL's arguments and access rules, PgBouncer's configuration. Pure; held by golden files."""

from __future__ import annotations

from apps.environments.allocation import count_processes
from apps.environments.render_parameters import clean_postgres_parameters
from apps.environments.render_specification import (
    PGBOUNCER_PORT,
    POSTGRES_PORT,
    ROLE_NAME,
    EnvironmentSpecification,
)

HBA_FILE = "/etc/oecsh/pg_hba.conf"
SUPERUSER_PASSWORD_FILE = "/etc/oecsh/superuser-password"  # noqa: S105
PGBOUNCER_INI = "/etc/pgbouncer/pgbouncer.ini"
USERLIST_FILE = "/etc/pgbouncer/userlist.txt"


def postgres_arguments(specification: EnvironmentSpecification) -> list[str]:
    """`postgres -c name=value …`, sorted by name, from PostgreSQL's share of the memory. Proportions as in
    PostgreSQL's documentation (resource consumption: a quarter for shared_buffers) and PGTune's web profile."""
    memory = specification.allocation.postgres_memory_megabytes
    cores = max(1, int(specification.allocation.postgres_cpu))
    settings = {
        "checkpoint_completion_target": "0.9",
        "effective_cache_size": f"{memory * 3 // 4}MB",
        "effective_io_concurrency": "200",
        # Odoo's queries are many and short: compiling one costs more than running it.
        "jit": "off",
        "maintenance_work_mem": f"{_between(memory // 16, 16, 1024)}MB",
        "max_parallel_workers": str(max(2, cores)),
        "max_parallel_workers_per_gather": str(min(2, cores)),
        "max_wal_size": "1GB" if memory < 4096 else "4GB",
        "min_wal_size": "80MB",
        "random_page_cost": "1.1",
        "shared_buffers": f"{max(32, memory // 4)}MB",
        "work_mem": f"{_between(memory // 2 // specification.max_connections, 2, 64)}MB",
    }
    settings |= clean_postgres_parameters(dict(specification.postgres_parameters))
    settings |= {
        "hba_file": HBA_FILE,
        "listen_addresses": "*",
        "max_connections": str(specification.max_connections),
        "password_encryption": "scram-sha-256",
    }
    arguments = ["postgres"]
    for name, value in sorted(settings.items()):
        arguments += ["-c", f"{name}={value}"]
    return arguments


def pg_hba(specification: EnvironmentSpecification) -> str:
    """Who may connect: the superuser only from inside the container, Odoo's role only from its own network."""
    return (
        "# TYPE  DATABASE  USER  ADDRESS  METHOD\n"
        "local all postgres trust\n"
        f"host all {ROLE_NAME} {specification.subnet} scram-sha-256\n"
    )


def pgbouncer_ini(specification: EnvironmentSpecification) -> str:
    """`postgres` always by session: Odoo listens there, and LISTEN says nothing when a pool hands its connection on.
    The environment's database by session unless the customer asked for transactions."""
    host = specification.address("db")
    processes = count_processes(specification.allocation.workers, specification.allocation.max_cron_threads)
    listeners = processes + specification.allocation.max_cron_threads + 4
    clients = 2 * (processes * specification.db_maxconn + listeners)
    return "\n".join(
        [
            "[databases]",
            f"postgres = host={host} port={POSTGRES_PORT} dbname=postgres pool_mode=session pool_size={listeners}",
            f"* = host={host} port={POSTGRES_PORT} pool_mode={specification.pool_mode}",
            "",
            "[pgbouncer]",
            "listen_addr = 0.0.0.0",
            f"listen_port = {PGBOUNCER_PORT}",
            "unix_socket_dir =",
            "auth_type = scram-sha-256",
            f"auth_file = {USERLIST_FILE}",
            "pool_mode = session",
            f"default_pool_size = {specification.pool_size}",
            f"max_client_conn = {clients}",
            "ignore_startup_parameters = extra_float_digits",
            "server_reset_query = DISCARD ALL",
            "server_login_retry = 1",
            "log_connections = 0",
            "log_disconnections = 0",
            "",
        ]
    )


def pgbouncer_userlist(specification: EnvironmentSpecification) -> str:
    """The password in clear, because SCRAM towards PostgreSQL needs it; the file is 0600 and PgBouncer's own."""
    password = specification.database_password.replace('"', '""')
    return f'"{ROLE_NAME}" "{password}"\n'


def _between(value: int, smallest: int, largest: int) -> int:
    return max(smallest, min(value, largest))
