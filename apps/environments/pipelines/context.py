"""What every step over an environment gets: the environment, its specification, and its server's open connection."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from apps.core.exceptions import Problem
from apps.environments.models import Environment
from apps.environments.render_specification import EnvironmentSpecification, specification_of
from apps.operations.models import Operation
from apps.operations.run import Run
from apps.servers.host import Host, open_host


@dataclass(frozen=True)
class EnvironmentContext:
    """The environment as it was when the worker began, and the way to its server."""

    run: Run
    environment: Environment
    specification: EnvironmentSpecification
    host: Host


@contextlib.contextmanager
def open_environment(run: Run) -> Iterator[EnvironmentContext]:
    """Connects to the environment's server and lets its secrets be masked in the log."""
    environment = load(run.operation)
    if environment.server is None:
        raise Problem("environments.no_server", environment=environment.name)
    specification = specification_of(environment)
    run.add_secrets(specification.secrets)
    run.add_secrets(variable.value for variable in environment.variables.all() if variable.sensitive)
    with open_host(environment.server) as host:
        yield EnvironmentContext(run, environment, specification, host)


def load(operation: Operation) -> Environment:
    """The environment of an operation, as it is now."""
    return Environment.objects.select_related("project__organization", "server__ssh_key").get(pk=operation.subject_id)
