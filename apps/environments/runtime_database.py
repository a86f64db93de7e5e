"""PostgreSQL of an environment: SQL goes through the input of `psql` inside the container, one call per need.

Whoever owns a database decides what a name in it means: a view or a function in the place of a table would do its work
with our rights. So what happens inside the environment's database is done as its owner, Odoo's own role, signed in
with its password (a superuser's `SET ROLE` could be taken back by such a function); the superuser works in the database
`postgres` alone, where names mean PostgreSQL's own things.
"""

from __future__ import annotations

import json
import time
import uuid

from psycopg import sql

from apps.core import clock
from apps.core.exceptions import Problem
from apps.environments.render_specification import ROLE_NAME, EnvironmentSpecification
from apps.environments.runtime_containers import last_lines
from apps.servers.host import Host

READY_SECONDS = 90
_NOT_READY = 75
# The same statements may still run whose connection was cut a moment ago. They are written so that they can be run
# again, and the next try finds them done.
_TRIES = 3
_BESIDE = ("already exists", "concurrently updated", "being accessed by other users", "duplicate key value")
# While the official image fills a new data folder its server listens on the socket alone: TCP means really ready.
# The first line of the input is the role's password, here and for psql's own connect.
_SCRIPT = """tries=$1; shift
IFS= read -r PGPASSWORD; export PGPASSWORD
until pg_isready -q -h 127.0.0.1; do
  tries=$((tries - 1)); [ "$tries" -gt 0 ] || exit 75; sleep 0.05
done
exec psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" -f -"""
# A statement that fails is otherwise written to the server's log as it came, with the passwords in it.
_AS_SUPERUSER = "SET log_min_error_statement = panic;\nSET search_path = pg_catalog;\n"
_AS_OWNER = "SET search_path = public;\n"


def run_sql(
    host: Host,
    specification: EnvironmentSpecification,
    text: str,
    *,
    database: str = "postgres",
    timeout: float = 300,
    ready_seconds: float = READY_SECONDS,
) -> list[str]:
    """Runs SQL once the server is ready: in the database `postgres` as the superuser, in any other one as Odoo's role.
    Returns what it prints, line by line, columns separated by `|`.

    Raises Problem `environments.database_does_not_start` or `environments.database_refused`.
    """
    name = specification.container_name("db")
    docker = ["docker", "--host", f"unix://{host.docker_socket}", "exec", "-i", name]
    is_ours = database == "postgres"
    who = ["-U", "postgres"] if is_ours else ["-U", ROLE_NAME, "-h", specification.address("db")]
    arguments = [*docker, "sh", "-c", _SCRIPT, "sh", round(ready_seconds / 0.05), *who, "-d", database]
    prepared = f"{specification.database_password}\n{_AS_SUPERUSER if is_ours else _AS_OWNER}{text}\n"
    for _ in range(_TRIES):
        result = host.run(arguments, input=prepared, timeout=timeout, check=False)
        if result.exit_code == 0:
            return [line for line in result.stdout.splitlines() if line]
        if not any(words in result.stderr for words in _BESIDE):
            break
        time.sleep(1)
    lines = " / ".join(last_lines(host, name, 8))
    if result.exit_code == _NOT_READY or "is not running" in result.stderr or "No such container" in result.stderr:
        raise Problem("environments.database_does_not_start", seconds=round(ready_seconds), lines=lines)
    words = result.stderr.replace(specification.database_password, "…").strip().splitlines()
    raise Problem("environments.database_refused", words=" / ".join(words[-3:]) or lines)


def create_statements(specification: EnvironmentSpecification) -> str:
    """Odoo's role, which is no superuser, and its database, which it owns. Running them again changes nothing."""
    name = sql.Literal(specification.database_name)
    create = sql.SQL(
        "SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' LC_COLLATE ''C'' TEMPLATE template0', "
        "{name}, {role}) WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {name}) \\gexec\n"
    ).format(name=name, role=sql.Literal(ROLE_NAME))
    return _text(_role(specification), create, _extensions(specification))


def adopt_statements(specification: EnvironmentSpecification, *, database: str, role: str) -> str:
    """The same for a copied cluster, whose database and role carry the names of where it came from."""
    wanted = sql.Literal(specification.database_name)
    rename = sql.SQL(
        "SELECT format('ALTER DATABASE %I RENAME TO %I', datname, {wanted}) FROM pg_database "
        "WHERE datname = {found} AND datname <> {wanted} \\gexec\n"
        "SELECT format('ALTER ROLE %I RENAME TO %I', rolname, {role}) FROM pg_roles "
        "WHERE rolname = {found_role} AND rolname <> {role} \\gexec\n"
    ).format(wanted=wanted, found=sql.Literal(database), role=sql.Literal(ROLE_NAME), found_role=sql.Literal(role))
    return _text(rename, _role(specification), _extensions(specification))


def personal_statements(*, base_url: str, login: str, password_hash: str, language: str) -> str:
    """What makes a database this environment's own: uuid, secret, date, address, the administrator's password, and the
    language of those who are in it already, as Odoo's own database manager sets it. To be run inside the environment's
    database, as its owner, while no Odoo runs on it."""
    values = {
        "database.uuid": str(uuid.uuid1()),
        "database.secret": str(uuid.uuid4()),
        "database.create_date": clock.now().strftime("%Y-%m-%d %H:%M:%S"),
        "web.base.url": base_url,
        "web.base.url.freeze": "True",
    }
    rows = sql.SQL(", ").join(
        sql.SQL("({}, {}, 1, 1, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')").format(*map(sql.Literal, pair))
        for pair in values.items()
    )
    return _text(
        sql.SQL("BEGIN;\n"),
        sql.SQL(
            "INSERT INTO ir_config_parameter (key, value, create_uid, write_uid, create_date, write_date) VALUES {} "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, write_date = excluded.write_date;\n"
        ).format(rows),
        sql.SQL("UPDATE res_users SET password = {} WHERE login = {};\n").format(
            sql.Literal(password_hash), sql.Literal(login)
        ),
        sql.SQL(
            "UPDATE res_partner SET lang = {language} "
            "WHERE EXISTS (SELECT FROM res_lang WHERE code = {language} AND active);\n"
        ).format(language=sql.Literal(language)),
        sql.SQL("COMMIT;\n"),
    )


def follow_address_statement(*, before: str, now: str) -> str:
    """Odoo's own address, where it is still the one that we wrote, or is the present one already (a worker was lost
    right after it had written); prints a line where it is ours. To be run inside the environment's database, as its
    owner."""
    return _text(
        sql.SQL(
            "UPDATE public.ir_config_parameter SET value = {}, write_date = now() AT TIME ZONE 'UTC' "
            "WHERE key = 'web.base.url' AND value IN ({}, {}) RETURNING 'ours';\n"
        ).format(*map(sql.Literal, (now, before, now)))
    )


def module_states(host: Host, specification: EnvironmentSpecification) -> dict[str, tuple[str, str]]:
    """State and version of every module that the database knows, whatever their names hold; empty where Odoo was never
    installed. Raises Problem `environments.database_refused` where the table is something else."""
    lines = run_sql(
        host,
        specification,
        "SELECT to_regclass('public.ir_module_module') IS NOT NULL AS known \\gset\n\\if :known\n"
        "SELECT coalesce(jsonb_agg(jsonb_build_array(name, coalesce(state, ''), coalesce(latest_version, ''))), '[]') "
        "FROM public.ir_module_module;\n\\endif",
        database=specification.database_name,
    )
    try:
        rows = json.loads("".join(lines) or "[]")
        return {str(name): (str(state), str(version)) for name, state, version in rows}
    except (ValueError, TypeError, RecursionError) as error:
        raise Problem("environments.database_refused", words="the list of modules cannot be read") from error


def size_megabytes(host: Host, specification: EnvironmentSpecification) -> int:
    """The size of the environment's database."""
    query = sql.SQL("SELECT pg_database_size({}) / 1048576").format(sql.Literal(specification.database_name))
    return int(run_sql(host, specification, _text(query, sql.SQL(";")))[0])


def copy_database(host: Host, specification: EnvironmentSpecification, copy: str, *, timeout: float = 3600) -> None:
    """Keeps the database as it is now under another name, unless that copy is whole already. No Odoo may run."""
    run_sql(host, specification, _replace(specification.database_name, copy, keep=True), timeout=timeout)


def put_back(host: Host, specification: EnvironmentSpecification, copy: str, *, timeout: float = 3600) -> bool:
    """Replaces the database by its kept copy; False where there is no such copy. The two change places by renaming,
    and the broken one is dropped last."""
    broken, name = f"{copy}_broken", specification.database_name
    if not run_sql(host, specification, _text(_exists(copy))):
        run_sql(host, specification, _text(_drop(broken), _drop(_half(copy))), timeout=timeout)
        return False
    statements = [
        _drop(broken),
        _disconnect(name),
        sql.SQL("ALTER DATABASE {} RENAME TO {};\n").format(sql.Identifier(name), sql.Identifier(broken)),
        sql.SQL("ALTER DATABASE {} RENAME TO {};\n").format(sql.Identifier(copy), sql.Identifier(name)),
        _drop(broken),
    ]
    if not run_sql(host, specification, _text(_exists(name))):
        # Ended between the two renames.
        del statements[:3]
    run_sql(host, specification, _text(*statements), timeout=timeout)
    return True


def drop_copy(host: Host, specification: EnvironmentSpecification, copy: str) -> None:
    """Forgets a kept copy; harmless where there is none."""
    run_sql(host, specification, _text(_drop(copy), _drop(_half(copy))), timeout=600)


def _replace(source: str, copy: str, *, keep: bool) -> str:
    """Made under another name and renamed, so that half a copy is never taken for a whole one."""
    half = _half(copy)
    return _text(
        sql.SQL("SELECT count(*) = 0 AS missing FROM pg_database WHERE datname = {} \\gset\n\\if :missing\n").format(
            sql.Literal(copy)
        ),
        _drop(half),
        _disconnect(source),
        sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {};\n").format(
            sql.Identifier(half), sql.Identifier(source), sql.Identifier(ROLE_NAME)
        ),
        sql.SQL("ALTER DATABASE {} RENAME TO {};\n\\endif\n").format(sql.Identifier(half), sql.Identifier(copy)),
    )


def _half(copy: str) -> str:
    return f"{copy}_half"


def _exists(name: str) -> sql.Composed:
    return sql.SQL("SELECT datname FROM pg_database WHERE datname = {};\n").format(sql.Literal(name))


def _drop(name: str) -> sql.Composed:
    return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE);\n").format(sql.Identifier(name))


def _disconnect(name: str) -> sql.Composed:
    return sql.SQL(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = {} AND pid <> pg_backend_pid() "
        "\\g /dev/null\n"
    ).format(sql.Literal(name))


def _role(specification: EnvironmentSpecification) -> sql.Composed:
    role = sql.Identifier(ROLE_NAME)
    return sql.SQL(
        "SELECT count(*) = 0 AS missing FROM pg_roles WHERE rolname = {name} \\gset\n"
        "\\if :missing\nCREATE ROLE {role};\n\\endif\n"
        "ALTER ROLE {role} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {password};\n"
    ).format(role=role, name=sql.Literal(ROLE_NAME), password=sql.Literal(specification.database_password))


def _extensions(specification: EnvironmentSpecification) -> sql.Composed:
    """From here on as the owner, who may make these two: PostgreSQL calls them trusted."""
    return sql.SQL(
        "\\connect {database} {role} {address}\n{prepare}"
        "CREATE EXTENSION IF NOT EXISTS pg_trgm;\nCREATE EXTENSION IF NOT EXISTS unaccent;\n"
    ).format(
        database=sql.Identifier(specification.database_name),
        role=sql.Identifier(ROLE_NAME),
        address=sql.SQL(specification.address("db")),
        prepare=sql.SQL(_AS_OWNER),
    )


def _text(*parts: sql.Composable) -> str:
    return "".join(part.as_string(None) for part in parts)
