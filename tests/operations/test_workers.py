"""Real worker processes die, freeze and hang in the middle of everything. One set of processes for all these tests."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from apps.operations import services
from apps.operations.models import LogLine, Operation, Status
from tests.operations.conftest import wait_for, wait_until_over
from tests.operations.processes import beat, is_alive, worker
from tests.operations.toys.effects import World
from tests.operations.toys.pipelines import LONG, TWO

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
RECOVERY_SECONDS = 15


@pytest.fixture(scope="module")
def control_plane(django_db_setup, django_db_blocker, tmp_path_factory):
    """Two workers and beat."""
    folder = tmp_path_factory.mktemp("processes")
    with django_db_blocker.unblock():
        processes = [worker(folder, 4, "first"), worker(folder, 4, "second"), beat(folder)]
        try:
            for process in processes:
                process.start()
            for process in processes[:2]:
                process.wait_until_it_says("ready.")
            yield processes
        finally:
            for process in processes:
                process.stop()


class OutsideLog:
    """A log that goes on being written whatever happens to the worker, as a container's does."""

    def __init__(self, world: World, name: str) -> None:
        self.path = world.folder / f"log-{name}"
        self.lines = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        with self.path.open("a", buffering=1) as file:
            while not self._stop.wait(0.02):
                file.write(f"outside {self.lines}\n")
                self.lines += 1
            file.write("end\n")

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


class Case:
    """One operation that will lose its worker in one step."""

    def __init__(self, queue, folder, pipeline, name):
        self.name, self.pipeline = name, pipeline
        folder.mkdir()
        self.world = World(folder)
        self.log = OutsideLog(self.world, name)
        self.operation = queue(
            pipeline.kind, lock_key=f"{pipeline.kind}:{name}", folder=str(folder), follow=name, gate=name
        )

    def begins(self, name):
        return [note for note in self.world.notes() if note[:2] == [name, "begin"]]

    def check(self):
        operation = wait_until_over(self.operation, 30)
        assert operation.status == Status.COMPLETED, (self.name, operation.error)
        for step in operation.steps.all():
            was_killed = step.name == self.name
            assert (step.attempt, step.interruptions) == ((2, 1) if was_killed else (1, 0)), step.name
            assert len(self.begins(step.name)) == (2 if was_killed else 1), step.name
            assert self.world.count(step.name, "make") == 1, step.name
        assert self.world.count("hook", "success") == 1
        lines = LogLine.objects.filter(operation=operation).order_by("sequence")
        assert [line.sequence for line in lines] == list(range(1, operation.log_sequence + 1))
        outside = [line.text for line in lines if line.text.startswith("outside")]
        assert outside == [f"outside {number}" for number in range(self.log.lines)]
        assert self.log.lines > 100


def test_a_worker_killed_in_each_step_goes_on_elsewhere_and_nothing_runs_twice(control_plane, queue, tmp_path):
    """kill -9 in every step of both pipelines, all at once: within 15 s each goes on in another process; completed
    steps are not run again, the interrupted one is, no line of the outside log is lost or doubled."""
    cases = [
        Case(queue, tmp_path / f"{pipeline.kind}-{step.name}", pipeline, step.name)
        for pipeline in (TWO, LONG)
        for step in pipeline.steps
    ]
    wait_for(lambda: all(case.begins(case.name) for case in cases), 30)
    time.sleep(1)  # some of the outside log is stored, some is on its way
    killed_at = time.time()
    for case in cases:
        os.kill(int(case.begins(case.name)[0][2]), signal.SIGKILL)
    wait_for(lambda: all(len(case.begins(case.name)) == 2 for case in cases), RECOVERY_SECONDS + 10)
    slowest = max(float(case.begins(case.name)[1][3]) for case in cases) - killed_at
    assert slowest < RECOVERY_SECONDS
    for case in cases:
        case.log.end()
        case.world.gate(case.name).touch()
    for case in cases:
        case.check()


def test_the_death_of_a_whole_worker_ends_its_processes_and_the_other_goes_on(control_plane, queue, world):
    first, second, _ = control_plane
    operation = queue("toy.two", gate="two")
    wait_for(lambda: world.count("two", "begin"), 15)
    pid = int(next(note for note in world.notes() if note[:2] == ["two", "begin"])[2])
    victim, survivor = (first, second) if pid in first.children() else (second, first)
    children = victim.children()
    assert pid in children
    victim.kill()
    wait_for(lambda: not any(is_alive(child) for child in children), 2)
    wait_for(lambda: world.count("two", "begin") == 2, RECOVERY_SECONDS)
    new_pid = int([note for note in world.notes() if note[:2] == ["two", "begin"]][1][2])
    assert new_pid in survivor.children()
    world.gate("two").touch()
    assert wait_until_over(operation).status == Status.COMPLETED
    assert world.count("one", "begin") == 1
    victim.log.write_text("")
    victim.start().wait_until_it_says("ready.")


def test_a_frozen_worker_that_wakes_up_later_writes_nothing(control_plane, queue, world):
    operation = queue("toy.two", gate="one")
    wait_for(lambda: world.count("one", "begin"), 15)
    frozen = int(world.notes()[1][2])
    os.kill(frozen, signal.SIGSTOP)
    try:
        wait_for(lambda: world.count("one", "begin") == 2, RECOVERY_SECONDS)
    finally:
        os.kill(frozen, signal.SIGCONT)
    # Awake again, it lets go at its next check: its context is closed, and the gate did not open for it.
    wait_for(lambda: world.count("close") == 1, 5)
    world.gate("one").touch()
    operation = wait_until_over(operation)
    assert operation.status == Status.COMPLETED
    assert [world.count("one", "end"), world.count("two", "begin")] == [1, 1]
    lines = list(operation.lines.order_by("sequence").values_list("sequence", "text"))
    assert [sequence for sequence, _ in lines] == list(range(1, operation.log_sequence + 1))
    assert [text for _, text in lines].count("one ends") == 1


def test_a_worker_killed_in_an_undo_is_followed_by_one_that_goes_on_undoing(control_plane, queue, world, cast):
    operation = queue("toy.long", gate="third", undo_gate="second")
    wait_for(lambda: world.count("third", "begin"), 15)
    services.cancel(operation=operation, user=cast.alice)
    wait_for(lambda: world.count("second", "undo"), 5)
    pid = int(next(note for note in world.notes() if note[:2] == ["second", "undo"])[3])
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: world.count("second", "undo") == 2, RECOVERY_SECONDS)
    world.gate("undo-second").touch()
    operation = wait_until_over(operation)
    assert operation.status == Status.CANCELLED
    assert [world.count(name, "undo") for name in ("third", "second", "first")] == [1, 2, 1]
    assert world.count("fourth") == 0


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_step_that_does_not_stop_loses_its_process_and_the_lock_is_freed(
    control_plane, queue, world, cast, cancelled
):
    operation = queue("toy.acting", act="ignore_everything")
    wait_for(lambda: world.count("stuck"), 15)
    pid = int(next(note for note in world.notes() if note[0] == "stuck")[1])
    if cancelled:
        services.cancel(operation=operation, user=cast.alice)
    operation = wait_until_over(operation, 25)
    assert not is_alive(pid)
    step = operation.steps.get(name="act")
    assert operation.status == (Status.CANCELLED if cancelled else Status.FAILED)
    assert step.error_code == "operations.step_stuck"
    assert step.attempt == 1
    assert world.count("before", "undone") == 1
    assert Operation.objects.active().count() == 0
