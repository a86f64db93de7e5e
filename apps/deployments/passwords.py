"""The administrator's first password: made here, shown once, and watched until somebody changes it."""

from __future__ import annotations

import secrets

from psycopg import sql

from apps.deployments.context import DeployContext
from apps.environments.models import Environment
from apps.environments.render import EnvironmentSpecification, hash_password, password_rounds
from apps.environments.runtime_database import personal_statements, run_sql
from apps.servers.host import Host

_HASH = "password_hash"


def begin_hash(context: DeployContext) -> None:
    """Starts the hash, which takes half a second of a core on purpose."""
    context.begin_early(_HASH, _hasher(context))


def personal_sql(context: DeployContext) -> str:
    """The statements that make a fresh database the environment's own. Hash and address are stored with the environment
    before they are written to the database: different ones there are somebody else's."""
    environment = context.environment
    environment.base_url = environment.url
    password_hash = context.wait_for(_HASH, _hasher(context))
    environment.admin_password_hash, environment.admin_password_changed = password_hash, False
    environment.save(update_fields=["admin_password_hash", "admin_password_changed", "base_url", "updated_at"])
    return personal_statements(
        base_url=environment.base_url,
        login=environment.admin_login,
        password_hash=password_hash,
        language=environment.language,
    )


def is_changed(host: Host, environment: Environment, specification: EnvironmentSpecification) -> bool:
    """True when the administrator's password is no longer the one that the platform has set."""
    login = sql.Literal(environment.admin_login)
    query = sql.SQL("SELECT password FROM public.res_users WHERE login = {};").format(login)
    found = run_sql(host, specification, query.as_string(None), database=specification.database_name)
    # Without the user the first password opens nothing any more.
    return found != [environment.admin_password_hash]


def _hasher(context: DeployContext):
    """Pure: everything that it needs is read here, in the thread that owns the database connection."""
    password = context.environment.admin_password
    rounds = password_rounds(int(context.environment.project.odoo_version.partition(".")[0]))
    salt = secrets.token_bytes(16)
    return lambda: hash_password(password, salt=salt, rounds=rounds)
