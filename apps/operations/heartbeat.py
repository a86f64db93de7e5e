"""The heartbeat: a thread with a database connection of its own which keeps the lease, hears of a cancel, and ends
this process when a step does not stop."""

from __future__ import annotations

import logging
import os
import threading
import time

from django.conf import settings
from django.db import DatabaseError, connection

from apps.core.exceptions import Problem
from apps.operations import bell
from apps.operations.exceptions import DeadlineExceeded, LeaseLost
from apps.operations.finishing import Failure, end_step, flag, store_outcome
from apps.operations.lease import Lease, fenced, release, renew
from apps.operations.models import Operation, Status, UndoStatus
from apps.operations.stop import StopSign

logger = logging.getLogger(__name__)
TICK_SECONDS = 0.5  # how soon a cancel is heard of
EXIT_CODE = 70


class Heartbeat:
    """Beats from `start` to `stop`."""

    def __init__(self, lease: Lease, sign: StopSign) -> None:
        self._lease = lease
        self._sign = sign
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat {lease.operation_id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; waits for a beat that is on its way, not for a database that does not answer."""
        self._ended.set()
        self._thread.join(timeout=5)

    def _beat(self) -> None:
        renew_at = 0.0
        try:
            while not self._ended.wait(TICK_SECONDS):
                try:
                    if time.monotonic() >= renew_at:
                        self._renew()
                        renew_at = time.monotonic() + settings.OPERATION_HEARTBEAT_SECONDS
                    self._listen()
                except DatabaseError as error:
                    logger.warning("The heartbeat of operation %s missed a beat: %r", self._lease.operation_id, error)
                    connection.close()
                self._sign.notice()
                if self._sign.overdue() > settings.OPERATION_STOP_GRACE_SECONDS:
                    abandon(self._lease, self._sign)
        finally:
            connection.close()

    def _renew(self) -> None:
        asked_at = time.monotonic()
        if renew(self._lease):
            self._sign.lease_renewed(asked_at)
        elif not self._ended.is_set():
            self._sign.lease_lost()

    def _listen(self) -> None:
        row = Operation.objects.filter(pk=self._lease.operation_id).values("lease_token", "cancel_requested_at").first()
        if self._ended.is_set():
            return
        if row is None or row["lease_token"] != self._lease.token:
            self._sign.lease_lost()
        elif row["cancel_requested_at"] is not None:
            self._sign.cancel_requested()


def abandon(lease: Lease, sign: StopSign) -> None:
    """The step did not stop in time, and a thread cannot be ended from outside: stores how the operation ends, gives
    the lease back, and ends this process. Another worker undoes and finishes."""
    reason = sign.reason()
    logger.error("A step of operation %s did not stop (%s): this worker process ends", lease.operation_id, reason)
    try:
        if reason is not LeaseLost:
            with fenced(lease) as operation:
                _store_stuck(operation, reason)
            release(lease)
            bell.ring(lease.operation_id)
    finally:
        os._exit(EXIT_CODE)


def _store_stuck(operation: Operation, reason: object) -> None:
    why = "its time was over" if reason is DeadlineExceeded else "it was cancelled"
    undoing = operation.steps.filter(undo_status=UndoStatus.RUNNING).first()
    running = operation.steps.filter(status=Status.RUNNING).first()
    step = undoing or running
    problem = Problem("operations.step_stuck", step=step.title if step else "", reason=why)
    failure = Failure(problem.code, problem.title, problem.what_to_do, problem.who)
    if undoing is not None:
        undoing.undo_status, undoing.undo_error = UndoStatus.FAILED, failure.error
        undoing.save()
        flag(operation, f"“{undoing.title}” could not be undone: {failure.error}")
    elif running is not None:
        status = Status.FAILED if reason is DeadlineExceeded else Status.CANCELLED
        end_step(running, status, **failure.fields())
        store_outcome(operation, status, failure)
