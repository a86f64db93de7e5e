"""The numbers of an environment that follow from its allocation, and the checks that hold for them."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from apps.environments import allocation
from apps.environments.models import Environment
from apps.environments.render_parameters import clean_odoo_parameters, clean_postgres_parameters

TUNED = ("workers", "max_cron_threads", "db_maxconn", "pool_size", "max_connections")
_ALLOCATED = ("cpu", "memory_megabytes", "disk_megabytes")


def check_allocation(environment: Environment) -> None:
    """Raises ValidationError for an allocation that is too small or too large."""
    _clean_only(environment, _ALLOCATED)


def tune(environment: Environment, chosen: dict[str, int]) -> None:
    """Sets every number: those in `chosen` as they are, the others derived. Raises ValidationError, and Problem
    `environments.too_many_*` or `environments.pool_too_large` for a set of numbers that cannot work."""
    environment.tuned_fields = sorted(chosen)
    for name, value in chosen.items():
        setattr(environment, name, value)
    _clean_only(environment, tuple(chosen))
    derived = allocation.tune(
        cpu=environment.cpu,
        memory_megabytes=environment.memory_megabytes,
        use_pgbouncer=environment.use_pgbouncer,
        chosen={name: getattr(environment, name) for name in chosen},
    )
    for name in TUNED:
        setattr(environment, name, getattr(derived, name))
    allocation.check_workers(
        workers=environment.workers,
        max_cron_threads=environment.max_cron_threads,
        memory_megabytes=environment.memory_megabytes,
        use_pgbouncer=environment.use_pgbouncer,
    )
    numbers = {name: getattr(environment, name) for name in TUNED}
    allocation.check_connections(use_pgbouncer=environment.use_pgbouncer, **numbers)


def clean_parameters(environment: Environment) -> None:
    """Raises ValidationError for a parameter of odoo.conf or PostgreSQL that a customer may not set."""
    for name, clean in (("odoo_parameters", clean_odoo_parameters), ("postgres_parameters", clean_postgres_parameters)):
        try:
            setattr(environment, name, clean(getattr(environment, name)))
        except ValidationError as error:
            raise ValidationError({name: error.messages}) from error


def _clean_only(environment: Environment, names: tuple[str, ...]) -> None:
    if names:
        environment.clean_fields(exclude={field.name for field in Environment._meta.get_fields()} - set(names))
