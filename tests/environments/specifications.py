"""An environment as plain values, for tests of what is rendered from it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.environments import allocation
from apps.environments.network import addresses_in
from apps.environments.render import AddonsFolder, EnvironmentSpecification, Image

IDENTIFIER = "6f51a8ce-68a7-4391-a3cc-a2e6828c8e5c"
SUBNET = "10.96.0.16/28"


def specification(version: str = "19.0", *, workers: int = 4, use_pgbouncer: bool = True, **values: Any):
    """A production environment with two repositories, an Enterprise one and one of the platform behind them, and
    everything rendered."""
    split = allocation.split(
        cpu=Decimal(4), memory_megabytes=8192, workers=workers, max_cron_threads=2, use_pgbouncer=use_pgbouncer
    )
    chosen = {
        "identifier": IDENTIFIER,
        "organization": "0d7c1c4e-0000-4000-8000-000000000001",
        "odoo_version": version,
        "host_name": "shop-production.apps.example.com",
        "https_port": 443,
        "allocation": split,
        "server_cpu": Decimal(8),
        "db_maxconn": 8,
        "pool_size": 56,
        "pool_mode": "session",
        "max_connections": 76,
        "use_pgbouncer": use_pgbouncer,
        "subnet": SUBNET,
        "addresses": addresses_in(SUBNET),
        "database_name": IDENTIFIER,
        "database_password": "database-password-of-the-test",
        "master_password": "master-password-of-the-test",
        "variables": {"GREETING": "hello"},
        "odoo": Image("sha256:0d00", 101, 101, ("/mnt/extra-addons",)),
        "postgres": Image("sha256:9057", 999, 999),
        "pgbouncer": Image("sha256:b0c5", 70, 70),
        "addons": (
            AddonsFolder("/opt/oecsh/org_1/additional/aaaa", "tools"),
            AddonsFolder("/opt/oecsh/org_1/primary/bbbb", "shop", ("addons", "more/addons")),
            AddonsFolder("/opt/oecsh/org_1/enterprise/cccc", "enterprise"),
            AddonsFolder("/opt/oecsh/platform/tools/eeee", "platform_tools"),
        ),
        "platform_addons": "/opt/oecsh/platform/odoo_addons/dddd",
    }
    return EnvironmentSpecification(**(chosen | values))
