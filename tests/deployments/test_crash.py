"""Workers are killed and connections are cut in each of the sixteen steps: every deployment gets to its end, nothing is
made twice, and no line of the log is lost or doubled."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.deployments import services
from apps.deployments.models import Deployment, Seed
from apps.deployments.pipelines.deploy import STEPS
from apps.environments.models import Environment, Status
from apps.operations.models import LogLine, Operation, OperationStep
from apps.operations.runner import run_operation
from tests.cast import Cast
from tests.deployments.conftest import Ground, deploy, story
from tests.deployments.killing import Workers, held_steps
from tests.lab.server import LabServer

pytestmark = [pytest.mark.lab, pytest.mark.slow]
RECOVERY_SECONDS = 15


class Witness:
    """What Docker on the server saw being made, and every line that the jobs wrote."""

    def __init__(self, machine: LabServer) -> None:
        self.created: list[str] = []
        self.lines: list[str] = []
        self._events = machine.docker.events(decode=True, filters={"type": "container"})
        self._machine = machine
        self._threads = [threading.Thread(target=self._watch, daemon=True)]
        self._threads[0].start()

    def _watch(self) -> None:
        for event in self._events:
            name = event["Actor"]["Attributes"].get("name", "")
            if event["Action"] == "create":
                self.created.append(name)
            if event["Action"] == "start" and name.startswith("oecsh_") and "job" not in name:
                thread = threading.Thread(target=self._read, args=(name,), daemon=True)
                thread.start()
                self._threads.append(thread)

    def _read(self, name: str) -> None:
        client = self._machine.docker
        try:
            text = b"".join(client.api.logs(name, stream=True, follow=True)).decode()
        finally:
            client.close()
        self.lines += text.splitlines()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # the engine has closed it already
            self._events.close()
        for thread in self._threads[1:]:
            thread.join(timeout=10)

    def made(self, environment: Environment) -> Counter[str]:
        """How often each container of the environment was made."""
        return Counter(name.removeprefix(f"{environment.pk}_") for name in self.created if str(environment.pk) in name)


@pytest.fixture
def witness(ground: Ground) -> Iterator[Witness]:
    seen = Witness(ground.machine)
    yield seen
    seen.close()


@pytest.fixture
def base_seed(cast: Cast, make_environment: Callable[..., Environment]) -> Seed:
    """A kept install of Odoo 19 without modules, from an earlier test or made now."""
    found = Seed.objects.filter(odoo_version="19.0", organization=None).first()
    if found is None:
        first = deploy(make_environment(install=["base"]), cast.alice)
        assert first.status == "success", story(first.operation)
        found = Seed.objects.get(odoo_version="19.0", organization=None)
    return found


def check_whole(operation: Operation, witness: Witness, environment: Environment) -> None:
    """It went well, everything was made once, and the log is complete."""
    environment.refresh_from_db()
    assert Deployment.objects.get(operation=operation).status == "success", story(operation)
    assert environment.status == Status.RUNNING
    made = witness.made(environment)
    assert made == {"db": 1, "pgbouncer": 1, "odoo_next": 1}, made
    jobs = Counter(name for name in witness.created if name.startswith(f"oecsh_{operation.pk.hex}"))
    assert all(count == 1 for count in jobs.values()), jobs
    lines = list(LogLine.objects.filter(operation=operation).order_by("sequence"))
    assert [line.sequence for line in lines] == list(range(1, operation.log_sequence + 1))
    witness.close()
    of_jobs = {line.rstrip() for line in witness.lines}
    stored = [line.text.rstrip() for line in lines if line.text.rstrip() in of_jobs]
    assert stored == [line.rstrip() for line in witness.lines if line.strip() or "" in of_jobs]


def test_killed_after_the_work_of_every_step(
    cast: Cast,
    base_seed: Seed,
    make_environment: Callable[..., Environment],
    repository: Any,
    witness: Witness,
    tmp_path: Path,
) -> None:
    """Each step had done its work and not yet said so: the next worker finds everything in place."""
    environment = make_environment(repository=repository)
    operation = services.deploy(environment=environment, user=cast.alice).operation
    with held_steps("end") as holder:
        workers = Workers(operation, tmp_path, lease_seconds=3)
        try:
            while (session := holder.wait(operation, 180)) is not None:
                workers.kill()
                holder.end_session(session)
            operation = workers.wait(30)
        finally:
            workers.close()
    assert workers.killed == len(STEPS)
    steps = OperationStep.objects.filter(operation=operation)
    assert {step.name: step.interruptions for step in steps} == {step.name: 1 for step in STEPS}
    check_whole(operation, witness, environment)


def test_killed_in_the_middle_it_goes_on_within_fifteen_seconds(
    cast: Cast,
    base_seed: Seed,
    make_environment: Callable[..., Environment],
    repository: Any,
    witness: Witness,
    tmp_path: Path,
) -> None:
    """With the lease of production: in the steps that take a while, at some moment of their work."""
    environment = make_environment(repository=repository)
    operation = services.deploy(environment=environment, user=cast.alice).operation
    workers = Workers(operation, tmp_path, lease_seconds=10)
    try:
        for name, moment in (("create_database", 0.4), ("install_addons", 1.5), ("health_check", 0.1)):
            _wait_for_step(operation, name)
            time.sleep(moment)
            if not OperationStep.objects.filter(operation=operation, name=name, status="running").exists():
                continue
            workers.kill()
            killed_at = time.monotonic()
            while OperationStep.objects.get(operation=operation, name=name).interruptions == 0:
                assert time.monotonic() - killed_at < RECOVERY_SECONDS
                time.sleep(0.05)
        operation = workers.wait(180)
    finally:
        workers.close()
    assert workers.killed >= 2
    check_whole(operation, witness, environment)


def test_a_cold_install_goes_on_when_its_worker_is_killed(
    cast: Cast, make_environment: Callable[..., Environment], witness: Witness, tmp_path: Path
) -> None:
    """Odoo installs its database in a container of its own: a worker more or less does not matter to it."""
    Seed.objects.all().delete()
    environment = make_environment(install=["base"])
    operation = services.deploy(environment=environment, user=cast.alice).operation
    workers = Workers(operation, tmp_path, lease_seconds=3)
    try:
        _wait_for_step(operation, "install_base")
        for _ in range(2):
            time.sleep(4)
            workers.kill()
        operation = workers.wait(400)
    finally:
        workers.close()
    check_whole(operation, witness, environment)
    assert operation.steps.get(name="install_base").interruptions >= 1
    assert any("Modules loaded" in line for line in witness.lines)
    assert Seed.objects.get().status == Seed.Status.READY


def test_the_connection_is_cut_in_every_step(
    cast: Cast,
    base_seed: Seed,
    make_environment: Callable[..., Environment],
    repository: Any,
    witness: Witness,
    ground: Ground,
) -> None:
    """Each step begins on a connection that is dead, and the long ones lose it once more on the way."""
    environment = make_environment(repository=repository)
    operation = services.deploy(environment=environment, user=cast.alice).operation

    def work() -> None:
        try:
            run_operation(operation.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    held = 0
    with held_steps("begin") as holder:
        thread.start()
        while holder.wait(operation, 180) is not None:
            ground.machine.drop_connections()
            held += 1
            holder.let_go()
            time.sleep(0.7)
            ground.machine.drop_connections()
    thread.join(timeout=60)
    operation.refresh_from_db()
    assert held == len(STEPS), story(operation)
    check_whole(operation, witness, environment)


def _wait_for_step(operation: Operation, name: str, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not OperationStep.objects.filter(operation=operation, name=name).exclude(status="pending").exists():
        assert time.monotonic() < deadline, f"{name} did not begin.\n{story(operation)}"
        time.sleep(0.02)
