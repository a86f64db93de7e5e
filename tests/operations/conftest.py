"""What the tests of the engine share: an organization, a world for the toys, and ways to queue and to wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.operations import services
from apps.operations.models import FINISHED, Operation
from apps.operations.runner import run_operation
from apps.orgs.models import Organization
from tests.operations.toys import pipelines  # noqa: F401  (registers them)
from tests.operations.toys.effects import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty world."""
    return World(tmp_path)


@pytest.fixture
def organization(db: None) -> Organization:
    return Organization.objects.create(name="Toys", slug="toys")


@pytest.fixture
def queue(organization: Organization, world: World) -> Callable[..., Operation]:
    """`queue("toy.two", gate="one", lock_key="x")`: queues a toy; what the service does not know are parameters."""

    def queue_toy(kind: str, *, lock_key: str = "toy", **options: Any) -> Operation:
        known = {name: options.pop(name) for name in ("created_by", "trigger", "wait", "title") if name in options}
        parameters = {"folder": str(world.folder), **options}
        return services.queue(
            kind=kind,
            subject=organization,
            organization=organization,
            lock_key=lock_key,
            parameters=parameters,
            **known,
        )

    return queue_toy


def wait_for(condition: Callable[[], Any], seconds: float = 10, *, every: float = 0.03) -> Any:
    """Waits until the condition holds and returns what it answered; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"This did not happen within {seconds} s."
        time.sleep(every)
    return answer


def wait_until_over(operation: Operation, seconds: float = 20) -> Operation:
    """Waits until the operation has ended, and reads it anew."""
    wait_for(lambda: Operation.objects.filter(pk=operation.pk, status__in=FINISHED).exists(), seconds)
    return Operation.objects.get(pk=operation.pk)


@pytest.fixture
def work(world: World) -> Callable[[Operation], threading.Thread]:
    """Works on an operation in a thread of this process, as a worker would."""
    threads = []

    def start(operation: Operation) -> threading.Thread:
        def target() -> None:
            try:
                run_operation(operation.pk)
            finally:
                connection.close()

        thread = threading.Thread(target=target)
        thread.start()
        threads.append(thread)
        return thread

    yield start
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()
