"""What a step uses of the engine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, NoReturn

from apps.core.masking import Masker
from apps.operations.exceptions import Skipped
from apps.operations.lease import Lease, fenced
from apps.operations.log import Entry, LogWriter, cut
from apps.operations.models import Level, LogPosition, Operation, OperationStep
from apps.operations.persist import persist
from apps.operations.stop import StopSign

_LONGEST_TEXT = 1_000_000  # characters that are looked at in one go
_PROGRESS_EVERY = 0.25  # seconds
LARGEST_DATA = 2**20


class SourceLine(NamedTuple):
    """A line of an outside log. `position` is anything that JSON can hold and from which the reader can go on after
    this line (of a container's log: the timestamp, and how many lines have shared it so far)."""

    position: Any
    text: str
    level: str = Level.INFO


class Run:
    """One claim of one operation. Everything that writes is fenced: after the lease is lost it raises LeaseLost."""

    def __init__(self, lease: Lease, operation: Operation, writer: LogWriter, sign: StopSign, masker: Masker) -> None:
        self.operation = operation
        self.parameters: dict[str, Any] = operation.parameters
        self.data: dict[str, Any] = operation.data
        self.step: OperationStep | None = None
        self._lease = lease
        self._writer = writer
        self._sign = sign
        self._masker = masker
        self._positions: dict[str, Any] = {}
        self._progress_at = 0.0

    @property
    def outcome(self) -> str:
        """Empty on the way forward; `failed` or `cancelled` while steps are undone."""
        return self.operation.outcome

    @property
    def attempt(self) -> int:
        """How many times the current step has been begun, over all workers; 1 the first time."""
        return self.step.attempt if self.step else 0

    # What the step has to say.

    def debug(self, text: str) -> None:
        """Writes lines for those who look closely."""
        self.log(Level.DEBUG, text)

    def info(self, text: str) -> None:
        """Writes lines."""
        self.log(Level.INFO, text)

    def warning(self, text: str) -> None:
        """Writes lines about something that did not stop the step."""
        self.log(Level.WARNING, text)

    def error(self, text: str) -> None:
        """Writes lines about what went wrong."""
        self.log(Level.ERROR, text)

    def log(self, level: str, text: str, *, source: str = "", position: Any = None) -> None:
        """Writes the lines of a text, masked, each cut at 4000 characters. They are stored within about 100 ms."""
        clean = self._masker.mask(text[:_LONGEST_TEXT]).encode("utf-8", "replace").decode()
        lines = clean.splitlines() or [""]
        step_id = self.step.pk if self.step else None
        for line in lines[:-1]:
            self._writer.write(Entry(step_id, level, cut(line)))
        # The position goes with the last line: before that the source's line is not wholly taken over.
        self._writer.write(Entry(step_id, level, cut(lines[-1]), source, position))

    def add_secrets(self, values: Iterable[str | None]) -> None:
        """These values are masked in everything that is written from now on."""
        self._masker.add(values)

    def mask(self, text: str) -> str:
        """The text as it may be stored."""
        return self._masker.mask(text)

    def progress(self, done: int, total: int, unit: str = "") -> None:
        """How far the step is, for instance `progress(3, 12, "modules")`. Call it as often as you like."""
        now = time.monotonic()
        if self.step is None or (done < total and now - self._progress_at < _PROGRESS_EVERY):
            return
        self._progress_at = now
        self._writer.set_progress(self.step.pk, progress_done=done, progress_total=total, progress_unit=unit)

    # An outside log, taken over without losing or doubling a line.

    def log_position(self, source: str) -> Any:
        """The position up to which the outside log has been taken over, by this worker or by one before; None at the
        beginning."""
        if source not in self._positions:
            rows = LogPosition.objects.filter(operation_id=self._lease.operation_id, source=source)
            self._positions[source] = persist(lambda: rows.values_list("position", flat=True).first(), self._sign)
        return self._positions[source]

    def log_from(self, source: str, lines: Iterable[SourceLine]) -> None:
        """Takes over lines of an outside log as they come. Each position is stored in one transaction with its line."""
        for line in lines:
            line = SourceLine(*line)
            self.log(line.level, line.text, source=source, position=line.position)
            self._positions[source] = line.position

    def flush(self) -> None:
        """Returns when everything that was written so far is stored: call it before the outside log is removed."""
        self._writer.flush()

    # What the step wants to find again after a crash.

    def remember(self, **values: Any) -> None:
        """Stores values (JSON) with the operation, at once: store the intent before acting outside. No secrets, and
        nothing that a server says at its own length: raises ValueError beyond LARGEST_DATA."""
        if len(json.dumps(self.data | values)) > LARGEST_DATA:
            raise ValueError(f"More than {LARGEST_DATA} bytes to remember: {', '.join(values)}.")

        def write() -> None:
            with fenced(self._lease) as operation:
                operation.data = operation.data | values
                operation.save(update_fields=["data", "updated_at"])

        persist(write, self._sign)
        self.data.update(values)

    # When the step must stop.

    def check(self) -> None:
        """Raises Cancelled, LeaseLost or DeadlineExceeded when the step must stop. Everything that waits asks this at
        least every second."""
        self._sign.check()

    def sleep(self, seconds: float) -> None:
        """Sleeps; wakes at once and raises like `check` when the step must stop."""
        self._sign.sleep(seconds)

    def on_stop(self, callback: Callable[[], None]) -> AbstractContextManager[None]:
        """`with run.on_stop(channel.close): …`: while the block lasts, `callback` is called once, from another
        thread, when the step must stop. Whatever the block raises because of it counts as the reason to stop."""
        return self._sign.on_stop(callback)

    def remaining(self) -> float:
        """Seconds until the step's deadline."""
        return self._sign.remaining()

    def skip(self, reason: str) -> NoReturn:
        """Ends the step as skipped, with the reason that is shown."""
        raise Skipped(reason)
