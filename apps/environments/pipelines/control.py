"""Start, stop, restart, pause, resume, resize, sync: short, each safe to run again, none of them touches data.

A state changes when the server has really changed: at the end, together with the operation. An action that fails
leaves the state as it was, with the reason beside it; `sync` reads the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils import timezone

from apps.core import clock
from apps.environments import runtime
from apps.environments.actions import request_action
from apps.environments.changes import set_status
from apps.environments.models import Status
from apps.environments.pipelines.context import EnvironmentContext, load, open_environment
from apps.environments.render_specification import specification_of
from apps.environments.runtime import PartState
from apps.environments.services import resize, restore_allocation
from apps.operations.models import Operation
from apps.operations.pipeline import Pipeline, Step, register

VIEW = "project.environments.view"
CONTROL = "project.environments.control"


def start(context: EnvironmentContext) -> None:
    runtime.start(context.host, context.specification)
    context.run.info("Odoo, PostgreSQL and what stands between them run.")


def stop(context: EnvironmentContext) -> None:
    runtime.stop(context.host, context.specification)
    context.run.info("Everything is stopped. The data stays where it is.")


def restart(context: EnvironmentContext) -> None:
    runtime.restart(context.host, context.specification)
    context.run.info("Odoo was started anew.")


def pause(context: EnvironmentContext) -> None:
    runtime.pause(context.host, context.specification)
    context.run.info("All processes are frozen; their memory stays taken.")


def resume(context: EnvironmentContext) -> None:
    runtime.resume(context.host, context.specification)
    context.run.info("All processes go on where they were.")


def change_limits(context: EnvironmentContext) -> None:
    runtime.resize(context.host, context.specification)
    allocation = context.specification.allocation
    context.run.info(
        f"Odoo: {allocation.odoo_cpu} cores and {allocation.odoo_memory_megabytes} MB. "
        f"PostgreSQL: {allocation.postgres_cpu} cores and {allocation.postgres_memory_megabytes} MB."
    )


def undo_limits(context: EnvironmentContext) -> None:
    """The containers get back what they had; the stored allocation follows when the operation ends."""
    previous = load(context.run.operation)
    restore_allocation(previous, context.run.parameters["previous"], save=False)
    runtime.resize(context.host, specification_of(previous))


def read_state(context: EnvironmentContext) -> None:
    parts = runtime.read_state(context.host, context.specification)
    for name, part in parts.items():
        context.run.info(f"{name}: {part.state}" + (", was out of memory" if part.out_of_memory else ""))
    status, reason = judge(parts, uses_pgbouncer=context.specification.use_pgbouncer)
    context.run.remember(status=status, reason=reason)


def judge(parts: Mapping[str, PartState], *, uses_pgbouncer: bool) -> tuple[str, str]:
    """What the states of the containers mean for the environment, and why."""
    wanted = ("db", "pgbouncer", "odoo") if uses_pgbouncer else ("db", "odoo")
    states = {name: parts[name].state for name in wanted}
    if all(state == "running" for state in states.values()):
        return Status.RUNNING, ""
    if all(state == "paused" for state in states.values()):
        return Status.PAUSED, ""
    if all(state in ("exited", "created") for state in states.values()):
        return Status.STOPPED, ""
    details = ", ".join(f"{name} is {state}" for name, state in states.items() if state != "running")
    memory = " Odoo ran out of memory." if parts["odoo"].out_of_memory else ""
    return Status.ERROR, f"On the server {details}.{memory}"


def becomes(status: str) -> Callable[[Operation], None]:
    """Stores the state that an action has led to."""

    def store(operation: Operation) -> None:
        set_status(load(operation), status)

    return store


def store_what_was_read(operation: Operation) -> None:
    environment = load(operation)
    environment.synced_at = clock.now()
    environment.save(update_fields=["synced_at", "updated_at"])
    set_status(environment, operation.data["status"], operation.data["reason"])


def keep_state(operation: Operation) -> None:
    """The action failed or was cancelled: the state stays, and the page says what happened."""
    environment = load(operation)
    when = timezone.localtime(clock.now())
    reason = f"{operation.title}: {operation.error or 'cancelled'} ({when:%Y-%m-%d %H:%M})"
    set_status(environment, environment.status, reason)


def put_allocation_back(operation: Operation) -> None:
    environment = load(operation)
    restore_allocation(environment, operation.parameters["previous"])
    keep_state(operation)


def _ask_again(operation: Operation, user: object) -> Operation:
    action = operation.kind.removeprefix("environment.")
    return request_action(environment=load(operation), action=action, user=user)


def _resize_again(operation: Operation, user: object) -> Operation:
    wanted = operation.parameters["wanted"]
    return resize(environment=load(operation), actor=user, **wanted)


def _control(kind: str, title: str, step: Step, on_success: Callable[[Operation], None]) -> Pipeline:
    return register(
        Pipeline(
            kind=kind,
            title=title,
            steps=(step,),
            open_context=open_environment,
            on_success=on_success,
            on_failure=keep_state,
            on_cancelled=keep_state,
            view_code=VIEW,
            cancel_code=CONTROL,
            retry=_ask_again,
        )
    )


_control("environment.start", "Start", Step("start", "Start the containers", start), becomes(Status.RUNNING))
_control("environment.stop", "Stop", Step("stop", "Stop the containers", stop), becomes(Status.STOPPED))
_control("environment.restart", "Restart", Step("restart", "Start Odoo anew", restart), becomes(Status.RUNNING))
_control("environment.pause", "Pause", Step("pause", "Freeze the processes", pause), becomes(Status.PAUSED))
_control("environment.resume", "Resume", Step("resume", "Let the processes go on", resume), becomes(Status.RUNNING))
_control("environment.sync", "Sync", Step("read_state", "Read the containers' state", read_state), store_what_was_read)
register(
    Pipeline(
        kind="environment.resize",
        title="Resize",
        steps=(Step("change_limits", "Change CPU and memory", change_limits, undo=undo_limits),),
        open_context=open_environment,
        on_failure=put_allocation_back,
        on_cancelled=put_allocation_back,
        view_code=VIEW,
        cancel_code="project.environments.update",
        retry=_resize_again,
    )
)
