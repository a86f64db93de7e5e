"""Working on operations over lab servers, and looking at those servers from the side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apps.operations.models import LogLine, Operation
from apps.operations.runner import run_operation
from tests.lab.server import LabServer


def finish(operation: Operation) -> Operation:
    run_operation(operation.pk)
    return Operation.objects.get(pk=operation.pk)


def log_of(operation: Operation) -> str:
    return "\n".join(LogLine.objects.filter(operation=operation).values_list("text", flat=True))


@contextmanager
def client_of(machine: LabServer) -> Iterator:
    client = machine.docker
    try:
        yield client
    finally:
        client.close()


def containers_of(machine: LabServer) -> dict[str, str]:
    """Names and ids of what runs, seen from the side."""
    with client_of(machine) as client:
        return {
            container.name: f"{container.id} {container.attrs['State']['StartedAt']}"
            for container in client.containers.list()
        }
