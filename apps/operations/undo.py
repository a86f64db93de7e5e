"""Undoing: the steps that were begun, newest first, after the outcome is stored."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from apps.operations.attempts import attempt
from apps.operations.exceptions import DeadlineExceeded, Skipped
from apps.operations.failures import InterruptedTooOften, describe
from apps.operations.finishing import flag
from apps.operations.lease import fenced
from apps.operations.models import Operation, OperationStep, Status, UndoStatus
from apps.operations.persist import persist
from apps.operations.pipeline import Step

if TYPE_CHECKING:
    from apps.operations.runner import Runner

# More than forward, where the count began.
MOST_INTERRUPTIONS = 10
# Seconds for which a lost connection is tried again: with a server that is gone, each undo would use up its deadline.
PATIENCE = 60


class Undoer:
    """Undoes for one runner. What another worker has undone before is not undone again; what it was undoing is."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def undo_all(self) -> None:
        """Undoes every step that has to be. One that fails does not keep the others: the operation asks for a
        person's attention. Past the start of a final step nothing is undone."""
        if self._runner.operation.final_started_at is not None:
            return
        for row in self._runner.operation.steps.order_by("-position"):
            step = self._runner.step_of(row)
            if self._is_due(row, step):
                self._undo(row, step)

    def _is_due(self, row: OperationStep, step: Step) -> bool:
        wanted = step.undo is not None and (step.undo_on_failure or self._runner.operation.outcome == Status.CANCELLED)
        begun = row.started_at is not None and row.status != Status.SKIPPED
        return wanted and begun and row.undo_status in (UndoStatus.NONE, UndoStatus.RUNNING)

    def _undo(self, row: OperationStep, step: Step) -> None:
        run, sign = self._runner.run, self._runner.sign
        run.step = row
        was_interrupted = row.undo_status == UndoStatus.RUNNING
        self._store(row, UndoStatus.RUNNING, interrupted=was_interrupted)
        run.info("Undoing." if not was_interrupted else "Undoing, after the worker was lost while it did.")
        try:
            if row.interruptions > MOST_INTERRUPTIONS:
                raise InterruptedTooOften
            with sign.watch(timeout=step.timeout, cancellable=False):
                self._attempt(row, step)
        except (DeadlineExceeded, Exception) as error:
            failure = describe(error, step=row, timeout=step.timeout, masker=self._runner.masker)
            run.error(f"This could not be undone: {failure.error}")
            self._runner.writer.flush()
            self._store(row, UndoStatus.FAILED, error=f"{failure.error}\n{failure.hint}")
        else:
            run.info("Undone.")
            self._runner.writer.flush()
            self._store(row, UndoStatus.COMPLETED)

    def _attempt(self, row: OperationStep, step: Step) -> None:
        with contextlib.suppress(Skipped):
            attempt(self._runner, row, step.undo, patience=PATIENCE)

    def _store(self, row: OperationStep, status: str, *, error: str = "", interrupted: bool = False) -> None:
        interruptions = row.interruptions + interrupted

        def write() -> Operation:
            with fenced(self._runner.lease) as operation:
                row.undo_status, row.undo_error, row.interruptions = status, error, interruptions
                row.save(update_fields=["undo_status", "undo_error", "interruptions", "updated_at"])
                operation.version += 1
                operation.save()
                if error:
                    flag(operation, f"“{row.title}” could not be undone: {error}")
            return operation

        self._runner.writer.announce_soon(persist(write, self._runner.sign))
