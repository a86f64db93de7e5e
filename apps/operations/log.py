"""The log of an operation on its way to the database: a thread with a connection of its own which stores what was
written in batches, numbers the lines without gaps, and announces them."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.core import clock
from apps.operations.announce import Announcer
from apps.operations.exceptions import LeaseLost
from apps.operations.lease import Lease, fenced
from apps.operations.models import Level, LogLine, LogPosition, Operation, OperationStep
from apps.operations.persist import persist
from apps.operations.stop import StopSign

logger = logging.getLogger(__name__)
GATHER_SECONDS = 0.1
LARGEST_BATCH = 500
LONGEST_LINE = 4000  # characters
LARGEST_BACKLOG = 20_000
# Beyond the cap no more lines than this are kept: one that says so, then warnings and errors.
KEPT_BEYOND_CAP = 1000


@dataclass(frozen=True)
class Entry:
    """One line on its way; `position` is how far its outside source has been read with it."""

    step_id: uuid.UUID | None
    level: str
    text: str
    source: str = ""
    position: Any = None
    created_at: datetime = field(default_factory=clock.now)


def cut(text: str) -> str:
    """The text in a length that is stored."""
    if len(text) <= LONGEST_LINE:
        return text
    return f"{text[:LONGEST_LINE]} … (cut, the line has {len(text)} characters)"


def number(entries: list[Entry], last: int, cap: int) -> list[tuple[int, Entry]]:
    """Gives the entries the numbers after `last`. From `cap` on only warnings and errors are kept, after one line that
    says so."""
    numbered: list[tuple[int, Entry]] = []
    for entry in entries:
        if last == cap:
            last += 1
            text = f"This log has {cap} lines: from here on only warnings and errors are kept."
            numbered.append((last, Entry(entry.step_id, Level.WARNING, text)))
        if last > cap and (entry.level not in (Level.WARNING, Level.ERROR) or last >= cap + KEPT_BEYOND_CAP):
            continue
        last += 1
        numbered.append((last, entry))
    return numbered


class LogWriter:
    """Takes lines from any thread; `flush` waits until they are stored. Raises LeaseLost once the lease is lost."""

    def __init__(self, lease: Lease, operation: Operation, sign: StopSign) -> None:
        self._lease = lease
        self._sign = sign
        self._sequence = operation.log_sequence
        self._news = operation
        self._entries: deque[Entry] = deque()
        self._progress: dict[uuid.UUID, dict[str, Any]] = {}
        self._announce = False
        self._written = self._stored = 0
        self._wanted = 0
        self._stored_at = 0.0
        self._closing = False
        self._failure: BaseException | None = None
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=f"log {lease.operation_id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stores what is left, unless the lease is lost, and ends the thread."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(timeout=15)

    def write(self, entry: Entry) -> None:
        """Takes one line; waits when the database is far behind."""
        with self._condition:
            while len(self._entries) >= LARGEST_BACKLOG and self._failure is None:
                self._sign.check()
                self._condition.wait(0.2)
            self._raise_failure()
            self._entries.append(entry)
            self._written += 1
            self._condition.notify_all()

    def set_progress(self, step_id: uuid.UUID, **fields: Any) -> None:
        """Stores the progress of a step with the next batch."""
        with self._condition:
            self._raise_failure()
            self._progress[step_id] = fields
            self._condition.notify_all()

    def announce_soon(self, operation: Operation) -> None:
        """Announces a change of the steps."""
        with self._condition:
            if operation.version >= self._news.version:
                self._news = operation
            self._announce = True
            self._condition.notify_all()

    def flush(self) -> None:
        """Returns when everything that was written so far is stored."""
        with self._condition:
            self._wanted = self._written
            self._condition.notify_all()
            while self._stored < self._wanted and self._failure is None:
                self._condition.wait(0.5)
            self._raise_failure()

    def _raise_failure(self) -> None:
        if isinstance(self._failure, LeaseLost):
            raise LeaseLost
        if self._failure is not None:
            raise RuntimeError("The log could not be stored.") from self._failure

    # The thread.

    def _work(self) -> None:
        try:
            with Announcer() as announcer:
                while self._wait_for_work():
                    self._store_next()
                    self._news.log_sequence = max(self._news.log_sequence, self._sequence)
                    announcer.announce(self._news)
        except BaseException as error:
            if not isinstance(error, LeaseLost):
                logger.exception("The log of operation %s could not be stored", self._lease.operation_id)
            with self._condition:
                self._failure = error
                self._condition.notify_all()
        finally:
            connection.close()

    def _wait_for_work(self) -> bool:
        with self._condition:
            while not (self._entries or self._progress or self._announce or self._closing):
                self._condition.wait()
            if self._entries or self._progress:
                # Lines come in flocks: the first is stored at once, those behind it after a moment, many together.
                patience = self._stored_at + GATHER_SECONDS - time.monotonic()
                self._condition.wait_for(self._is_hurried, max(0.0, patience))
            return bool(self._entries or self._progress or self._announce)

    def _is_hurried(self) -> bool:
        return self._closing or self._wanted > self._stored

    def _store_next(self) -> None:
        with self._condition:
            entries = [self._entries.popleft() for _ in range(min(LARGEST_BATCH, len(self._entries)))]
            progress, self._progress = self._progress, {}
            self._announce = False
            self._condition.notify_all()
        if entries or progress:
            persist(lambda: self._store(entries, progress), self._sign)
        with self._condition:
            self._stored += len(entries)
            self._stored_at = time.monotonic()
            self._condition.notify_all()

    def _store(self, entries: list[Entry], progress: dict[uuid.UUID, dict[str, Any]]) -> None:
        numbered = number(entries, self._sequence, settings.OPERATION_LOG_MAXIMUM_LINES)
        last = self._sequence + len(numbered)
        with fenced(self._lease) as operation:
            # Where the connection broke during a commit, the batch may be stored already: the number tells.
            if operation.log_sequence == self._sequence:
                self._insert(operation, numbered, entries)
            for step_id, fields in progress.items():
                OperationStep.objects.filter(pk=step_id, operation=operation).update(
                    **fields, updated_at=timezone.now()
                )
            operation.log_sequence = last
            operation.version += bool(progress)
            operation.save(update_fields=["log_sequence", "version", "updated_at"])
        self._sequence = last
        with self._condition:
            if operation.version >= self._news.version:
                self._news = operation

    def _insert(self, operation: Operation, numbered: list[tuple[int, Entry]], entries: list[Entry]) -> None:
        LogLine.objects.bulk_create(
            LogLine(
                operation=operation,
                step_id=entry.step_id,
                sequence=sequence,
                level=entry.level,
                text=entry.text,
                created_at=entry.created_at,
            )
            for sequence, entry in numbered
        )
        positions = {entry.source: entry.position for entry in entries if entry.source}
        LogPosition.objects.bulk_create(
            (LogPosition(operation=operation, source=name, position=value) for name, value in positions.items()),
            update_conflicts=True,
            unique_fields=["operation", "source"],
            update_fields=["position", "updated_at"],
        )
