"""odoo.conf for each Odoo series. Pure; held by golden files.

What differs between the series (from Odoo's `odoo/tools/config.py` of each): `longpolling_port` up to 15 and
`gevent_port` from 16; `x_sendfile` from 16; `db_maxconn_gevent` from 17; limits of the gevent and cron workers from 18;
demo data on unless `without_demo` up to 18, off unless `with_demo` from 19.
"""

from __future__ import annotations

import base64
import functools
import hashlib

from apps.environments.render_parameters import clean_odoo_parameters
from apps.environments.render_specification import (
    DATA_DIRECTORY,
    GEVENT_PORT,
    HTTP_PORT,
    PGBOUNCER_PORT,
    PLATFORM_ADDONS,
    POSTGRES_PORT,
    ROLE_NAME,
    EnvironmentSpecification,
)

# Loaded in every process besides the database's own modules. `rpc` became a module of its own in 19.
LOGIN_MODULE = "oecsh_login"
_SERVER_WIDE = {14: "base,web", 15: "base,web", 16: "base,web", 17: "base,web", 18: "base,web", 19: "base,rpc,web"}
_MASTER_PASSWORD_ROUNDS = 25_000


def odoo_conf(specification: EnvironmentSpecification, *, job: bool = False) -> str:
    """The text of odoo.conf. For a `job` (an install or an update) it goes straight to PostgreSQL, because long
    transactions and locks must not meet a pool, and only the container's memory limit holds."""
    options = {
        **_common(specification),
        **_database(specification, direct=job),
        **_of_series(specification),
    }
    options |= _of_customer(specification)
    if job:
        options |= {name: 0 for name in options if name.startswith("limit_memory_")}
        options |= {"limit_time_cpu": 0, "limit_time_real": 0, "max_cron_threads": 0, "workers": 0}
    lines = [f"{name} = {value}" for name, value in sorted(options.items())]
    return "[options]\n" + "\n".join(lines) + "\n"


def addons_path(specification: EnvironmentSpecification) -> list[str]:
    """Highest priority first: the customer's folders in their order (Enterprise last), those of the image, the
    platform's own module. Odoo itself adds its core modules behind them."""
    image = specification.odoo.addons_path if specification.odoo else ()
    platform = [PLATFORM_ADDONS] if specification.platform_addons else []
    ours = [path for folder in specification.addons for path in folder.addons_paths]
    return [*ours, *image, *platform]


def hash_password(password: str, *, salt: bytes, rounds: int) -> str:
    """PBKDF2-SHA512 in the format of passlib, which Odoo reads (RFC 8018; base64 with `.` for `+`, no padding)."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    parts = (base64.b64encode(part).decode().rstrip("=").replace("+", ".") for part in (salt, digest))
    return "$pbkdf2-sha512${}${}${}".format(rounds, *parts)


def password_rounds(major: int) -> int:
    """The rounds with which Odoo itself hashes passwords: another number would be hashed anew at the first sign-in,
    and look as if somebody had changed the password. Source: `res_users.py`, MIN_ROUNDS, 600,000 from 17 on."""
    return 600_000 if major >= 17 else 25_000


@functools.lru_cache(maxsize=64)
def _master_password_hash(identifier: str, password: str) -> str:
    """Slow on purpose, and the same text is asked for many times in one deployment: the salt follows from the
    environment."""
    salt = hashlib.sha256(f"{identifier}:{password}".encode()).digest()[:16]
    return hash_password(password, salt=salt, rounds=_MASTER_PASSWORD_ROUNDS)


def _common(specification: EnvironmentSpecification) -> dict[str, object]:
    allocation = specification.allocation
    return {
        "addons_path": ",".join(addons_path(specification)),
        "admin_passwd": _master_password_hash(specification.identifier, specification.master_password),
        "data_dir": DATA_DIRECTORY,
        # In its own network; from 20 on the default is loopback.
        "http_interface": "0.0.0.0",  # noqa: S104
        "http_port": HTTP_PORT,
        "limit_memory_hard": allocation.limit_memory_hard,
        "limit_memory_soft": allocation.limit_memory_soft,
        "list_db": False,
        "log_level": "info",
        "max_cron_threads": allocation.max_cron_threads,
        "proxy_mode": True,
        "workers": allocation.workers,
    }


def _database(specification: EnvironmentSpecification, *, direct: bool) -> dict[str, object]:
    pooled = specification.use_pgbouncer and not direct
    return {
        "db_host": specification.address("pgbouncer" if pooled else "db"),
        "db_maxconn": specification.db_maxconn,
        "db_name": specification.database_name,
        "db_password": specification.database_password,
        "db_port": PGBOUNCER_PORT if pooled else POSTGRES_PORT,
        # Nothing of this leaves the environment's own network.
        "db_sslmode": "disable",
        "db_template": "template0",
        "db_user": ROLE_NAME,
        "dbfilter": f"^{specification.database_name}$",
    }


def _of_series(specification: EnvironmentSpecification) -> dict[str, object]:
    major = specification.major
    options: dict[str, object] = {"longpolling_port" if major < 16 else "gevent_port": GEVENT_PORT}
    if major >= 16:
        # The proxy knows no X-Accel: Odoo sends files itself.
        options["x_sendfile"] = False
    if major >= 17:
        options["db_maxconn_gevent"] = specification.db_maxconn
    if major >= 18:
        options["limit_memory_hard_gevent"] = specification.allocation.limit_memory_hard
        options["limit_memory_soft_gevent"] = specification.allocation.limit_memory_soft
        options["limit_time_worker_cron"] = 0
    if major >= 19:
        options["with_demo"] = specification.demo_data
    else:
        options["without_demo"] = False if specification.demo_data else "all"
    return options


def _of_customer(specification: EnvironmentSpecification) -> dict[str, object]:
    """What the customer set; modules of every process are added to ours."""
    options: dict[str, object] = dict(clean_odoo_parameters(dict(specification.odoo_parameters)))
    modules = _SERVER_WIDE[specification.major].split(",")
    modules += [name for name in str(options.get("server_wide_modules", "")).split(",") if name and name not in modules]
    if specification.platform_addons:
        modules.append(LOGIN_MODULE)
    options["server_wide_modules"] = ",".join(modules)
    for limit in ("limit_memory_hard", "limit_memory_soft"):
        if limit in options:
            # Above the container's limit the kernel would end the process before Odoo does.
            options[limit] = min(int(str(options[limit])), specification.allocation.odoo_memory_megabytes * 2**20)
    return options
