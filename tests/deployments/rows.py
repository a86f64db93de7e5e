"""Deployments as rows, for tests of pages and services: nothing outside is touched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apps.core import clock
from apps.deployments import services
from apps.deployments.models import Deployment
from apps.environments.models import Environment, Status
from apps.operations.models import Operation
from apps.operations.models import Status as OperationStatus
from apps.orgs.models import Organization
from tests.factories import make_environment as make_row
from tests.factories import make_project, make_server


def make_environment(organization: Organization, **fields: Any) -> Environment:
    """A pending environment on a server of the organization."""
    return make_row(make_project(organization), server=make_server(organization), **fields)


def make_deployment(
    environment: Environment,
    user: Any,
    *,
    status: str = OperationStatus.COMPLETED,
    seconds: float = 10,
    failed_step: str = "",
    **fields: Any,
) -> Deployment:
    """A deployment that ended (or is under way), as the engine leaves its rows."""
    Environment.objects.filter(pk=environment.pk).update(status=Status.PENDING)
    deployment = services.deploy(environment=environment, user=user)
    now = clock.now()
    ended = status in (OperationStatus.COMPLETED, OperationStatus.FAILED, OperationStatus.CANCELLED)
    Operation.objects.filter(pk=deployment.operation_id).update(
        status=status,
        started_at=now - timedelta(seconds=seconds),
        finished_at=now if ended else None,
        lease_token=None,
        error="It broke." if status == OperationStatus.FAILED else "",
    )
    if failed_step:
        deployment.operation.steps.filter(name=failed_step).update(
            status=OperationStatus.FAILED, started_at=now, error="It broke.", hint="Mend it."
        )
    after = {OperationStatus.COMPLETED: Status.RUNNING, OperationStatus.FAILED: Status.ERROR}
    Environment.objects.filter(pk=environment.pk).update(status=after.get(OperationStatus(status), Status.DEPLOYING))
    Deployment.objects.filter(pk=deployment.pk).update(**fields)
    environment.refresh_from_db()
    return Deployment.objects.select_related("operation", "environment__project").get(pk=deployment.pk)
