"""The runner: takes an operation, runs its steps, undoes them where it has to, and ends it. docs/operations.md says in
prose what happens when anything dies at any point."""

from __future__ import annotations

import logging
import uuid

from django.conf import settings

from apps.core import clock
from apps.core.exceptions import Problem
from apps.core.masking import Masker
from apps.operations.attempts import ContextHolder, attempt
from apps.operations.exceptions import Cancelled, DeadlineExceeded, LeaseLost, Skipped
from apps.operations.failures import InterruptedTooOften, describe
from apps.operations.finishing import Failure, end_step, finish, flag, store_outcome
from apps.operations.heartbeat import Heartbeat
from apps.operations.lease import Lease, claim, fenced, release
from apps.operations.log import LogWriter
from apps.operations.models import FINISHED, Operation, OperationStep, Status
from apps.operations.persist import persist
from apps.operations.pipeline import Pipeline, Step, all_pipelines
from apps.operations.run import Run
from apps.operations.signals import operation_started, tell
from apps.operations.stop import StopSign
from apps.operations.undo import Undoer

logger = logging.getLogger(__name__)
# A step in which the worker dies this often would kill it for ever.
MOST_INTERRUPTIONS = 5
MOST_CLAIMS_WITHOUT_NOTICE = 20
LAST_LINES = 20


def run_operation(operation_id: uuid.UUID | str) -> bool:
    """Claims the operation and works on it to its end. False when there was nothing to take."""
    lease = claim(operation_id)
    if lease is None:
        return False
    operation = Operation.objects.select_related("organization").get(pk=lease.operation_id)
    pipeline = all_pipelines().get(operation.kind)
    if pipeline is None:
        _refuse(lease, operation.kind)
    else:
        Runner(lease, operation, pipeline).execute()
    return True


def _refuse(lease: Lease, kind: str) -> None:
    problem = Problem("operations.unknown_kind", kind=kind)
    with fenced(lease) as operation:
        store_outcome(operation, Status.FAILED, Failure(problem.code, problem.title, problem.what_to_do, problem.who))
        finish(operation)


class Runner:
    """One claim of one operation, in one thread (the heartbeat and the log have theirs)."""

    def __init__(self, lease: Lease, operation: Operation, pipeline: Pipeline) -> None:
        self.lease = lease
        self.operation = operation
        self.pipeline = pipeline
        self.sign = StopSign(settings.OPERATION_LEASE_SECONDS)
        self.masker = Masker()
        self.writer = LogWriter(lease, operation, self.sign)
        self.run = Run(lease, operation, self.writer, self.sign, self.masker)
        self.context = ContextHolder(pipeline, self.run)
        self.heartbeat = Heartbeat(lease, self.sign)

    def execute(self) -> None:
        """Works until the operation is over or the lease is lost."""
        self.heartbeat.start()
        self.writer.start()
        try:
            self._work()
        except LeaseLost:
            logger.warning("Operation %s is in other hands: this worker lets go", self.lease.operation_id)
        except (KeyboardInterrupt, SystemExit):
            release(self.lease)
            raise
        finally:
            self.context.close()
            self.writer.close()
            self.heartbeat.stop()

    def _work(self) -> None:
        self._notice_many_claims()
        if not self.operation.outcome:
            self._go_forward()
        if self.operation.outcome:
            Undoer(self).undo_all()
        self.context.close()
        self.writer.flush()
        persist(self._finish, self.sign)

    def _notice_many_claims(self) -> None:
        if self.operation.attempt > MOST_CLAIMS_WITHOUT_NOTICE and not self.operation.needs_attention:
            with fenced(self.lease) as operation:
                flag(operation, f"{operation.attempt} workers have begun this operation and none has ended it.")

    # Forward.

    def _go_forward(self) -> None:
        for row in self.operation.steps.all():
            if row.status in (Status.COMPLETED, Status.SKIPPED):
                continue
            step = self.step_of(row)
            try:
                self._run_step(row, step)
            except Cancelled:
                self._store_cancelled(row)
                return
            except (DeadlineExceeded, Exception) as error:
                self._store_failed(row, step, error)
                return
        if persist(self._is_cancelled_at_the_end, self.sign):
            self._store_outcome(Status.CANCELLED)

    def step_of(self, row: OperationStep) -> Step:
        """The step as it is declared today; one that is gone fails with an unexpected error."""
        try:
            return self.pipeline.step(row.name)
        except KeyError:
            return Step(row.name, row.title, _step_is_gone)

    def _run_step(self, row: OperationStep, step: Step) -> None:
        self.run.step = row
        was_interrupted = row.status == Status.RUNNING
        # Counted before writing: a write that is repeated because the connection broke counts once.
        row.attempt += 1
        row.interruptions += was_interrupted
        persist(lambda: self._begin(row, step), self.sign)
        if was_interrupted:
            self.run.warning(f"The worker was lost in this step; another one goes on (attempt {row.attempt}).")
            if row.interruptions > MOST_INTERRUPTIONS:
                raise InterruptedTooOften
        with self.sign.watch(timeout=step.timeout, cancellable=self.pipeline.cancellable and not step.final):
            try:
                attempt(self, row, step.function, needed=step.needed)
                status, reason = Status.COMPLETED, ""
            except Skipped as skipped:
                status, reason = Status.SKIPPED, self.masker.mask(skipped.reason)[:300]
        # Its lines are stored before it counts as done: afterwards nobody would write them again.
        self.writer.flush()
        self.store_step(row, status, skipped_reason=reason)

    def _begin(self, row: OperationStep, step: Step) -> None:
        """Stores that the step begins. Cancelling and the start of a final step exclude each other here."""
        with fenced(self.lease) as operation:
            if self._is_cancelled(operation):
                raise Cancelled
            if step.final and operation.final_started_at is None:
                operation.final_started_at = clock.now()
            self.operation.final_started_at = operation.final_started_at
            is_first = row.position == 1 and row.interruptions == 0
            row.status = Status.RUNNING
            row.started_at = row.started_at or clock.now()
            row.save(update_fields=["status", "started_at", "attempt", "interruptions", "updated_at"])
            operation.version += 1
            operation.save()
            if is_first:
                tell(operation_started, operation)
        self.writer.announce_soon(operation)

    def _is_cancelled(self, operation: Operation) -> bool:
        return (
            operation.cancel_requested_at is not None
            and operation.final_started_at is None
            and self.pipeline.cancellable
        )

    def _is_cancelled_at_the_end(self) -> bool:
        """A cancel that was accepted while the last step ended still counts."""
        with fenced(self.lease) as operation:
            return self._is_cancelled(operation)

    # Endings.

    def store_step(self, row: OperationStep, status: str, **fields: object) -> None:
        """Gives a step its last status, fenced."""

        def write() -> Operation:
            with fenced(self.lease) as operation:
                end_step(row, status, **fields)
                operation.version += 1
                operation.save()
            return operation

        self.writer.announce_soon(persist(write, self.sign))

    def _store_cancelled(self, row: OperationStep) -> None:
        self.run.warning("Cancelled.")
        self.writer.flush()
        self._store_outcome(Status.CANCELLED, row if row.started_at else None)

    def _store_failed(self, row: OperationStep, step: Step, error: BaseException) -> None:
        failure = describe(error, step=row, timeout=step.timeout, masker=self.masker)
        self.run.error(failure.error)
        self.writer.flush()
        self._store_outcome(Status.FAILED, row, failure)

    def _store_outcome(self, outcome: str, row: OperationStep | None = None, failure: Failure | None = None) -> None:
        def write() -> Operation:
            with fenced(self.lease) as operation:
                if row is not None:
                    lines = self._last_lines(row) if failure else ""
                    end_step(row, outcome, last_lines=lines, **(failure.fields() if failure else {}))
                store_outcome(operation, outcome, failure)
            return operation

        operation = persist(write, self.sign)
        self.operation.outcome = operation.outcome
        self.writer.announce_soon(operation)

    def _last_lines(self, row: OperationStep) -> str:
        newest = row.lines.order_by("-sequence").values_list("text", flat=True)[:LAST_LINES]
        return "\n".join(reversed(newest))

    def _finish(self) -> None:
        try:
            with fenced(self.lease) as operation:
                finish(operation)
        except LeaseLost:
            # When the connection broke during the commit, it may have ended after all.
            if not Operation.objects.filter(pk=self.lease.operation_id, status__in=FINISHED).exists():
                raise


def _step_is_gone(context: object) -> None:
    raise LookupError("This step does not exist any more in this version of the platform.")
