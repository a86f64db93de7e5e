"""A destroyed environment comes back: its folder is renamed out of the server's trash. Everything else (network,
containers, route) is made by the deployment that follows."""

from __future__ import annotations

from apps.core.exceptions import Problem
from apps.environments import runtime_trash
from apps.environments.pipelines.context import EnvironmentContext, load, open_environment
from apps.environments.restoring import PERMISSION, RESTORE_KIND, give_back, mark_restored, request_restore
from apps.operations.models import Operation, Status
from apps.operations.pipeline import Pipeline, Step, register

_NO_DEPLOYMENTS = ("environment.destroy", "environment.purge", RESTORE_KIND)


def bring_data_back(context: EnvironmentContext) -> None:
    has_data = True
    try:
        runtime_trash.bring_back(context.host, context.specification)
    except Problem as problem:
        # What never came to an end on the server has left nothing there.
        if problem.code != "environments.data_is_gone" or _was_used(context.run.operation):
            raise
        has_data = False
    context.run.remember(has_data=has_data)
    context.run.info("The data is in its place again." if has_data else "It was never deployed: there is no data.")
    if former := context.run.operation.parameters.get("former_host_name"):
        context.run.info(
            f"{former} belongs to another environment now: the address is {context.environment.host_name}."
        )


def put_aside_again(context: EnvironmentContext) -> None:
    runtime_trash.set_aside(context.host, context.specification)


def store_restored(operation: Operation) -> None:
    former = operation.parameters.get("former_host_name", "")
    mark_restored(load(operation), has_data=operation.data["has_data"], former_host_name=former)


def store_failed(operation: Operation) -> None:
    give_back(load(operation), f"Bringing it back failed: {operation.error}")


def store_cancelled(operation: Operation) -> None:
    give_back(load(operation))


def _was_used(operation: Operation) -> bool:
    earlier = Operation.objects.about(load(operation)).exclude(kind__in=_NO_DEPLOYMENTS)
    return earlier.filter(status=Status.COMPLETED).exists()


def _restore_again(operation: Operation, user: object) -> Operation:
    return request_restore(environment=load(operation), actor=user, retry_of=operation)


register(
    Pipeline(
        kind=RESTORE_KIND,
        title="Bring back",
        steps=(Step("bring_data_back", "Bring the data back", bring_data_back, undo=put_aside_again),),
        open_context=open_environment,
        on_success=store_restored,
        on_failure=store_failed,
        on_cancelled=store_cancelled,
        view_code="project.environments.view",
        cancel_code=PERMISSION,
        retry=_restore_again,
    )
)
