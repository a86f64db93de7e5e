"""What an operation consists of: pipelines of named steps, declared once and registered by their kind."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from apps.operations.models import Operation
    from apps.operations.run import Run

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_KIND = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")


def always(context: Any) -> bool:
    """The step is always needed."""
    return True


@dataclass(frozen=True)
class Step:
    """One step: `function(context)` looks at the world and acts on the difference ("ensure"), because after a crash
    it is run again.

    `undo(context)` makes it as if the step had not been; it must be harmless when there is nothing to undo. It is
    called for a step that was started, newest first, when the operation is cancelled, and when it fails unless
    `undo_on_failure` is off (`context.run.outcome` says which). `needed(context)` answers True, or False or the reason
    why the step is skipped. From the start of a `final` step on the operation cannot be cancelled. `timeout` is in
    seconds, for each attempt of the function and for the undo. `survives` says how its work outlives the worker:
    `repeat` (running again converges), `container` (re-attached to), `local` (temporary folder and rename).
    """

    name: str
    title: str
    function: Callable[[Any], None]
    undo: Callable[[Any], None] | None = None
    needed: Callable[[Any], bool | str] = always
    final: bool = False
    timeout: float = 600
    survives: Literal["repeat", "container", "local"] = "repeat"
    undo_on_failure: bool = True


class RunContext:
    """The context of pipelines which open nothing: it carries the run only."""

    def __init__(self, run: Run) -> None:
        self.run = run


@contextlib.contextmanager
def open_run_context(run: Run) -> Iterator[RunContext]:
    """Opens nothing."""
    yield RunContext(run)


@dataclass(frozen=True)
class Pipeline:
    """The steps of one kind of operation (`environment.deploy`).

    `open_context(run)` makes what the steps get; it is entered at the first step that a worker runs and left when
    the worker lets go, or before a retry after a lost connection. `on_success`, `on_failure` and `on_cancelled` get
    the operation and run inside the transaction which ends it: they touch the database only, and may queue a
    follow-up under the same lock key. `view_code` and `cancel_code` are the permissions that are asked on the
    subject (or its organization once the subject is gone), and `retry_code` that of doing it again: the one that
    starting it asks (`cancel_code` where nothing is said). `retry(operation, user)` makes the new operation when a
    person presses Retry; by default the same is queued again.
    """

    kind: str
    title: str
    steps: tuple[Step, ...]
    open_context: Callable[[Run], AbstractContextManager[Any]] = open_run_context
    on_success: Callable[[Operation], None] | None = None
    on_failure: Callable[[Operation], None] | None = None
    on_cancelled: Callable[[Operation], None] | None = None
    cancellable: bool = True
    view_code: str = "org.view"
    cancel_code: str = "org.update"
    retry_code: str = ""
    retry: Callable[[Operation, Any], Operation] | None = None

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        if not _KIND.match(self.kind) or not names or not all(map(_NAME.match, names)):
            raise ValueError(f"The pipeline {self.kind} needs a dotted kind and at least one step, in lower case.")
        if len(set(names)) != len(names):
            raise ValueError(f"The pipeline {self.kind} has two steps of one name.")
        if not self.retry_code:
            object.__setattr__(self, "retry_code", self.cancel_code)  # the way of frozen dataclasses

    def step(self, name: str) -> Step:
        """The step of that name; raises KeyError."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


_pipelines: dict[str, Pipeline] = {}


def register(pipeline: Pipeline) -> Pipeline:
    """Makes a pipeline known; call it when the app is ready. Raises ValueError for a kind that is taken."""
    known = _pipelines.setdefault(pipeline.kind, pipeline)
    if known is not pipeline:
        raise ValueError(f"The pipeline {pipeline.kind} is registered twice.")
    return pipeline


def get_pipeline(kind: str) -> Pipeline:
    """The pipeline of a kind; raises KeyError when no installed app has it."""
    return _pipelines[kind]


def all_pipelines() -> dict[str, Pipeline]:
    """All pipelines by kind."""
    return dict(_pipelines)
