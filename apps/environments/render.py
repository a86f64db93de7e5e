"""Everything that is rendered from an environment, by pure functions: the one place to import them from."""

from __future__ import annotations

from apps.environments.render_containers import (
    DIGEST_LABEL,
    ENVIRONMENT_LABEL,
    PART_LABEL,
    SLOT_LABEL,
    ContainerSpecification,
    Mount,
    database_container,
    odoo_command,
    odoo_container,
    odoo_environment,
    odoo_mounts,
    pgbouncer_container,
)
from apps.environments.render_odoo import addons_path, hash_password, odoo_conf, password_rounds
from apps.environments.render_parameters import clean_odoo_parameters, clean_postgres_parameters
from apps.environments.render_postgres import pg_hba, pgbouncer_ini, pgbouncer_userlist, postgres_arguments
from apps.environments.render_specification import (
    AddonsFolder,
    EnvironmentSpecification,
    Image,
    specification_of,
)

__all__ = [
    "DIGEST_LABEL",
    "ENVIRONMENT_LABEL",
    "PART_LABEL",
    "SLOT_LABEL",
    "AddonsFolder",
    "ContainerSpecification",
    "EnvironmentSpecification",
    "Image",
    "Mount",
    "addons_path",
    "clean_odoo_parameters",
    "clean_postgres_parameters",
    "database_container",
    "hash_password",
    "odoo_command",
    "odoo_conf",
    "odoo_container",
    "odoo_environment",
    "odoo_mounts",
    "password_rounds",
    "pg_hba",
    "pgbouncer_container",
    "pgbouncer_ini",
    "pgbouncer_userlist",
    "postgres_arguments",
    "specification_of",
]
