"""How a deployment ends in our own books. Each runs in the transaction that ends the operation: database only."""

from __future__ import annotations

from typing import Any

from apps.deployments.models import Deployment
from apps.deployments.releases import mark_applied
from apps.deployments.sources import modules_in
from apps.environments.changes import mark_applied as mark_environment_applied
from apps.environments.changes import set_status
from apps.environments.models import Environment, Status
from apps.operations.models import Operation

# What is still there after a deployment did not get to its end, because it was put back.
_GOES_ON = (Status.RUNNING, Status.STOPPED)


def deployment_succeeded(operation: Operation) -> None:
    """The environment runs this release."""
    deployment, environment = _rows(operation)
    mark_applied(deployment.release, _applied_modules(deployment))
    mark_environment_applied(environment)
    set_status(environment, Status.RUNNING)


def deployment_failed(operation: Operation) -> None:
    """What ran before still runs; where nothing ran, the environment is in error."""
    _deployment, environment = _rows(operation)
    before = operation.parameters.get("previous_status")
    if before in _GOES_ON and not operation.needs_attention:
        set_status(environment, before, f"The last deployment failed: {operation.error}")
        return
    set_status(environment, Status.ERROR, operation.error)


def deployment_cancelled(operation: Operation) -> None:
    """As it was before."""
    _deployment, environment = _rows(operation)
    before = operation.parameters.get("previous_status") or Status.ERROR
    set_status(environment, Status.ERROR if operation.needs_attention else before, "The last deployment was cancelled.")


def retry_deployment(operation: Operation, user: Any) -> Operation:
    """What pressing Retry on the operation does: a new deployment of the same release."""
    from apps.deployments.services import retry

    return retry(deployment=operation.deployment, user=user).operation


def _rows(operation: Operation) -> tuple[Deployment, Environment]:
    deployment = Deployment.objects.select_related("release", "environment__project").get(operation=operation)
    return deployment, deployment.environment


def _applied_modules(deployment: Deployment) -> dict[str, Any]:
    modules = modules_in(deployment.release.sources)
    return {name: {"version": module["version"], "hash": module["hash"]} for name, module in modules.items()}
