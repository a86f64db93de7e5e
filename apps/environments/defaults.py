"""What a new environment gets where nobody chose anything: what platform staff set, else what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.environments.allocation import DEFAULTS
from apps.environments.models import Environment
from apps.environments.tuning import TUNED, check_allocation, tune
from apps.platform.current import environment_size
from apps.platform.models import EnvironmentSize

_ALLOCATED = ("cpu", "memory_megabytes", "disk_megabytes")


def default_settings(environment_type: str) -> dict[str, Any]:
    """Allocation and automatic deployment of a type."""
    return _allocation(environment_size(environment_type)) | {"auto_deploy": DEFAULTS[environment_type].auto_deploy}


def default_numbers(environment_type: str, values: Mapping[str, Any]) -> dict[str, int]:
    """The workers that staff set for a type; none for an environment of which somebody chose CPU, memory or one of the
    numbers that go with them: what staff set was checked for their own allocation alone."""
    size = environment_size(environment_type)
    usual = _allocation(size)
    is_usual = all(values[name] == usual[name] for name in ("cpu", "memory_megabytes"))
    if size.workers is None or not is_usual or any(name in values for name in TUNED):
        return {}
    return {"workers": size.workers}


def check_size(size: EnvironmentSize) -> None:
    """Raises ValidationError, or Problem `environments.too_many_*`, where no environment could have this size, with
    PgBouncer or without."""
    if size.environment_type not in DEFAULTS:
        return
    for use_pgbouncer in (True, False):
        environment = Environment(use_pgbouncer=use_pgbouncer, **_allocation(size))
        check_allocation(environment)
        tune(environment, {} if size.workers is None else {"workers": size.workers})


def _allocation(size: EnvironmentSize) -> dict[str, Any]:
    usual = DEFAULTS[size.environment_type]
    chosen = {name: getattr(size, name) for name in _ALLOCATED}
    return {name: getattr(usual, name) if value is None else value for name, value in chosen.items()}
