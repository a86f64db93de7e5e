"""The toy pipelines. `parameters["folder"]` is the world that they work on."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from apps.core.exceptions import Problem, RetryableError
from apps.operations.models import Operation
from apps.operations.pipeline import Pipeline, Step, register
from apps.operations.run import Run
from tests.operations.toys.effects import World


class WireCut(RetryableError):
    """The toy's connection was lost."""


class Context:
    """What the toys' steps get."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.world = World(run.parameters["folder"])


@contextlib.contextmanager
def open_context(run: Run) -> Iterator[Context]:
    """Notes when it is opened and closed, like a connection."""
    context = Context(run)
    context.world.note("open")
    try:
        yield context
    finally:
        context.world.note("close")


def ensure(name: str):
    """A step that makes one thing, unless it is there already; with a gate and an outside log where the test asks."""

    def function(context: Context) -> None:
        run, world = context.run, context.world
        world.note(name, "begin", os.getpid(), f"{time.time():.3f}")
        run.info(f"{name} begins")
        if world.count(name, "make") == 0:
            world.note(name, "make", os.getpid())
        if run.parameters.get("follow") == name:
            world.follow(run, f"log-{name}")
        if run.parameters.get("gate") == name:
            world.wait_at(run, name)
        run.info(f"{name} ends")
        world.note(name, "end")

    return function


def undo(name: str):
    """Removes the thing; told so, it fails, or waits at a gate."""

    def function(context: Context) -> None:
        world = context.world
        world.note(name, "undo", context.run.outcome, os.getpid())
        if context.run.parameters.get("undo_gate") == name:
            world.wait_at(context.run, f"undo-{name}")
        if context.run.parameters.get("undo_fails") == name:
            raise Problem("core.address_not_allowed", host=name, reason="It is stuck.")
        world.note(name, "undone")

    return function


def make_steps(*names: str, final: str = "") -> tuple[Step, ...]:
    return tuple(
        Step(name, f"Make {name}", ensure(name), undo=undo(name), final=name == final, timeout=60) for name in names
    )


def note_end(word: str):
    def hook(operation: Operation) -> None:
        World(operation.parameters["folder"]).note("hook", word)

    return hook


HOOKS = {
    "on_success": note_end("success"),
    "on_failure": note_end("failure"),
    "on_cancelled": note_end("cancelled"),
}

TWO = register(Pipeline("toy.two", "Two things", make_steps("one", "two"), open_context, **HOOKS))
LONG = register(
    Pipeline(
        "toy.long",
        "Six things",
        make_steps("first", "second", "third", "fourth", "fifth", "last", final="last"),
        open_context,
        **HOOKS,
    )
)


# One step that does what `parameters["act"]` says, between two that make things.


def fail_as_expected(context: Context) -> None:
    raise Problem("core.address_not_allowed", host="example.com", reason=f"Not with {context.run.parameters['word']}.")


def fail_unexpectedly(context: Context) -> None:
    raise ZeroDivisionError(f"The password is {context.run.parameters.get('word', '')}")


def lose_connection(context: Context) -> None:
    """Loses the connection as often as the test says."""
    context.world.note("try")
    if context.world.count("try") <= context.run.parameters["times"]:
        raise WireCut("The wire was cut")


def never_come_back(context: Context) -> None:
    """Asks whether it must stop, for ever."""
    while True:
        context.run.sleep(1)


def ignore_everything(context: Context) -> None:
    """Neither asks nor sleeps the right way."""
    context.world.note("stuck", os.getpid())
    time.sleep(600)


def swallow_everything(context: Context) -> None:
    """Catches every exception, as careless code does."""
    while True:
        try:
            context.run.sleep(0.1)
        except Exception:
            context.world.note("swallowed")


def wait_for_callback(context: Context) -> None:
    """Waits in something that knows no run, which a callback ends."""
    read, write = os.pipe()
    with context.run.on_stop(lambda: os.write(write, b"x")):
        os.read(read, 1)
        raise WireCut("The pipe was ended from outside")


def tell_secrets(context: Context) -> None:
    secret = context.run.parameters["word"]
    context.run.add_secrets([secret])
    context.run.info(f"The password is {secret}.\nAnd again: {secret}{secret}")
    context.run.log_from("somewhere", [(1, f"outside says {secret}")])
    context.run.error(f"https://user:{secret}@example.com/ and \x1b[31mred\x00 {secret}")
    fail_as_expected(context)


def remember_too_much(context: Context) -> None:
    context.run.remember(said="x" * 2**20)


def skip_itself(context: Context) -> None:
    context.run.skip("There is nothing to do.")


def talk(context: Context) -> None:
    for number in range(context.run.parameters["lines"]):
        context.run.info(f"line {number}")
    context.run.progress(3, 12, "modules")


ACTIONS = {
    function.__name__: function
    for function in (
        fail_as_expected,
        fail_unexpectedly,
        lose_connection,
        never_come_back,
        ignore_everything,
        swallow_everything,
        wait_for_callback,
        tell_secrets,
        remember_too_much,
        skip_itself,
        talk,
    )
}


def act(context: Context) -> None:
    ACTIONS[context.run.parameters["act"]](context)


def is_needed(context: Context) -> bool | str:
    return context.run.parameters.get("needed", True)


ACTING = register(
    Pipeline(
        "toy.acting",
        "Something in between",
        (
            Step("before", "Before", ensure("before"), undo=undo("before")),
            Step("act", "Act", act, undo=undo("act"), needed=is_needed, timeout=3, undo_on_failure=False),
            Step("after", "After", ensure("after"), undo=undo("after")),
        ),
        open_context,
        **HOOKS,
    )
)
STUBBORN = register(
    Pipeline("toy.stubborn", "Runs to its end", make_steps("one", "two"), open_context, cancellable=False, **HOOKS)
)
