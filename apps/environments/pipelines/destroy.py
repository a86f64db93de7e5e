"""The end of an environment, in two halves.

Destroying takes it off its server: the route first, then the containers and the network, and its folder is renamed
into the server's trash. Nothing of its data is deleted. When the grace period is over, purging removes that one folder
by its exact name. Each step may be repeated.

When destroying fails in the middle, the environment is in `error`, its data is where it was or in the trash, and
destroying again goes on. It can be cancelled until the containers are touched.
"""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

from apps.environments import runtime, runtime_trash
from apps.environments.actions import locked, mark_deleted, mark_purged, queue_destroy
from apps.environments.changes import set_status
from apps.environments.models import Environment, Status
from apps.environments.pipelines.context import EnvironmentContext, load, open_environment
from apps.environments.signals import environment_leaving
from apps.environments.states import ensure_allowed
from apps.operations.models import Operation
from apps.operations.pipeline import Pipeline, RunContext, Step, register
from apps.operations.run import Run


def withdraw_routes(context: EnvironmentContext) -> None:
    environment_leaving.send(Environment, environment=context.environment, host=context.host, run=context.run)
    context.run.info(f"{context.environment.host_name} leads nowhere now.")


def set_aside(context: EnvironmentContext) -> None:
    runtime.remove(context.host, context.specification)
    context.run.info("Containers and network are gone; the data lies in the server's trash.")


def was_on_server(context: EnvironmentContext | RunContext) -> bool | str:
    """Nothing to do on a server for an environment that no operation has ever brought there."""
    return True if isinstance(context, EnvironmentContext) else "It was never deployed."


def remove_data(context: EnvironmentContext) -> None:
    runtime_trash.purge(context.host, context.specification)
    context.run.info("The data is gone for good.")


def open_destroyed(run: Run) -> AbstractContextManager[EnvironmentContext | RunContext]:
    """The server's connection, where there is anything to look for on the server."""
    environment = load(run.operation)
    others = Operation.objects.about(environment).exclude(pk=run.operation.pk)
    if environment.server is None or not others.exists():
        return contextlib.nullcontext(RunContext(run))
    return open_environment(run)


def store_deleted(operation: Operation) -> None:
    mark_deleted(load(operation))


def store_failed(operation: Operation) -> None:
    set_status(load(operation), Status.ERROR, f"Destroying failed: {operation.error}")


def store_cancelled(operation: Operation) -> None:
    set_status(load(operation), operation.parameters["previous_status"])


def store_purged(operation: Operation) -> None:
    mark_purged(load(operation))


def _destroy_again(operation: Operation, user: object) -> Operation:
    environment = locked(load(operation))
    ensure_allowed(environment, "destroy")
    return queue_destroy(environment=environment, actor=user, retry_of=operation)


register(
    Pipeline(
        kind="environment.destroy",
        title="Destroy",
        steps=(
            Step("withdraw_routes", "Take the address away", withdraw_routes, needed=was_on_server),
            Step("set_aside", "Remove containers, keep the data aside", set_aside, needed=was_on_server, final=True),
        ),
        open_context=open_destroyed,
        on_success=store_deleted,
        on_failure=store_failed,
        on_cancelled=store_cancelled,
        view_code="project.environments.view",
        cancel_code="project.environments.delete",
        retry_code="project.environments.delete",
        retry=_destroy_again,
    )
)
register(
    Pipeline(
        kind="environment.purge",
        title="Purge",
        steps=(Step("remove_data", "Remove the data for good", remove_data, needed=was_on_server, final=True),),
        open_context=open_destroyed,
        on_success=store_purged,
        view_code="project.environments.view",
        cancel_code="project.environments.delete",
    )
)
