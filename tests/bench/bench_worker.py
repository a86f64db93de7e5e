"""A worker's process dies by `kill -9` in the middle of a step: how long until another one goes on."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from apps.operations import services
from apps.operations.models import Operation
from apps.orgs.models import Organization
from tests.bench.databases import fresh_database
from tests.bench.demo import progress, wait_until_over
from tests.bench.measurement import Measurement, benchmark, runs
from tests.operations.processes import CeleryProcess, beat, worker
from tests.operations.toys import pipelines  # noqa: F401  (registers them)
from tests.operations.toys.effects import World

STEP = "two"
PATIENCE_SECONDS = 60
# The dead worker's lease and the scan for such leases have periods of 10 and 3 s: the kills are spread over both.
SECONDS_BETWEEN_KILLS = 1.3


@benchmark
def worker_kill() -> list[Measurement]:
    """As many operations as there are runs, two workers and beat; each operation's process is killed in its second
    step, and timed until that step runs again under a new lease."""
    found = Measurement("worker_kill", "s", "≤ 15 s")
    with fresh_database(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        processes = [worker(folder, 4, "first"), worker(folder, 4, "second"), beat(folder)]
        try:
            _start(processes)
            cases = [_Case(folder, number) for number in range(runs())]
            _wait(lambda: all(case.beginnings() for case in cases), "The operations do not begin.")
            for case in cases:
                case.kill()
                time.sleep(SECONDS_BETWEEN_KILLS)
            _wait(lambda: all(len(case.beginnings()) == 2 for case in cases), "An operation does not go on.")
            for case in cases:
                found.ours.append(case.finish())
                progress(f"goes on after {found.ours[-1]:.1f} s")
        finally:
            for process in processes:
                process.stop()
    return [found]


class _Case:
    """One operation which waits in its second step until it is told to go on."""

    def __init__(self, folder: Path, number: int) -> None:
        self.world = World(folder / f"world-{number}")
        self.world.folder.mkdir()
        organization = Organization.objects.create(name=f"Toys {number}", slug=f"toys-{number}")
        self.operation: Operation = services.queue(
            kind="toy.two",
            subject=organization,
            organization=organization,
            lock_key=f"bench:{number}",
            parameters={"folder": str(self.world.folder), "gate": STEP},
        )
        self.lease, self.killed_at = None, 0.0

    def beginnings(self) -> list[list[str]]:
        """`two begin <pid> <time>` for each process that began the step."""
        return [note for note in self.world.notes() if note[:2] == [STEP, "begin"]]

    def kill(self) -> None:
        """kill -9 of the process that works on it."""
        self.operation.refresh_from_db()
        self.lease = self.operation.lease_token
        self.killed_at = time.time()
        os.kill(int(self.beginnings()[0][2]), signal.SIGKILL)

    def finish(self) -> float:
        """Lets it end well; the seconds from the kill to the second beginning. Raises RuntimeError when the step was
        not taken over as it should be."""
        self.operation.refresh_from_db()
        has_new_lease = self.operation.lease_token not in (None, self.lease)
        self.world.gate(STEP).touch()
        wait_until_over(self.operation)
        if not has_new_lease or self.operation.status != "completed" or self.world.count(STEP, "make") != 1:
            raise RuntimeError(f"The operation did not go on properly: {self.world.notes()}")
        return float(self.beginnings()[1][3]) - self.killed_at


def _start(processes: list[CeleryProcess]) -> None:
    for process in processes:
        process.start()
    for process in processes[:2]:
        process.wait_until_it_says("ready.")


def _wait(condition: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(complaint)
        time.sleep(0.05)
