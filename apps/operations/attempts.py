"""One function of a step (or its undo), tried until it ends, fails, or must stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from django.db import connection

from apps.operations.exceptions import Interruption, Skipped
from apps.operations.failures import is_retryable
from apps.operations.lease import fenced
from apps.operations.models import OperationStep
from apps.operations.persist import is_connection_error, persist
from apps.operations.pipeline import Pipeline, always
from apps.operations.run import Run

if TYPE_CHECKING:
    from apps.operations.runner import Runner

logger = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0


class ContextHolder:
    """The context of the steps: opened when it is first needed, closed when a connection is lost or all is over."""

    def __init__(self, pipeline: Pipeline, run: Run) -> None:
        self._pipeline = pipeline
        self._run = run
        self._manager: AbstractContextManager[Any] | None = None
        self._context: Any = None

    def get(self) -> Any:
        """The open context."""
        if self._manager is None:
            manager = self._pipeline.open_context(self._run)
            self._context = manager.__enter__()
            self._manager = manager
        return self._context

    def close(self) -> None:
        """Closes it. That a broken connection does not close well is of no interest."""
        manager, self._manager, self._context = self._manager, None, None
        if manager is None:
            return
        try:
            manager.__exit__(None, None, None)
        except (Exception, Interruption) as error:
            logger.warning("The context of operation %s did not close well: %r", self._run.operation.pk, error)


def pauses() -> Iterator[float]:
    """Seconds between attempts: doubling, up to 15."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)


def attempt(
    runner: Runner,
    row: OperationStep,
    function: Callable[[Any], None],
    *,
    needed: Callable[[Any], bool | str] = always,
    patience: float = float("inf"),
) -> None:
    """Calls the function with the open context. When the way to something is lost, it opens the context anew and
    tries again, with growing pauses, as long as the deadline and the patience (seconds) allow.

    Raises what the function raised, or Skipped when it is not needed; but a reason to stop goes first, because
    stopping breaks connections."""
    run, sign = runner.run, runner.sign
    patient_until = time.monotonic() + patience
    for pause in pauses():
        try:
            context = runner.context.get()
            answer = needed(context)
            if answer is not True:
                raise Skipped(answer or "Not needed.")
            function(context)
            return
        except Exception as error:
            sign.check()
            left = min(sign.remaining(), patient_until - time.monotonic())
            if not is_retryable(error) or left < pause:
                raise
            if is_connection_error(error):
                connection.close()
            runner.context.close()
            run.warning(f"{error or 'The connection was lost'}. Trying again in {pause:g} s.")
            sign.sleep(pause)
            row.attempt += 1
            persist(lambda: _store_attempt(runner, row), sign)


def _store_attempt(runner: Runner, row: OperationStep) -> None:
    with fenced(runner.lease) as operation:
        row.save(update_fields=["attempt", "updated_at"])
        operation.version += 1
        operation.save()
    runner.writer.announce_soon(operation)
