"""News from the layers below, published as events."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.dispatch import receiver

from apps.core import clock
from apps.core.exceptions import Problem
from apps.deployments.models import Deployment
from apps.domains.models import Certificate, Route
from apps.environments.models import Environment
from apps.environments.signals import environment_created, environment_deleted, status_changed
from apps.notifications.publishing import publish
from apps.operations.models import Operation, OperationStep, Status
from apps.operations.signals import operation_ended, operation_started
from apps.orgs.models import Organization
from apps.orgs.signals import quota_exceeded, quota_warning

_DEPLOY, _CERTIFICATE, _DESTROY = "environment.deploy", "domains.issue_certificate", "environment.destroy"
_ENDINGS = {
    Status.COMPLETED: ("deploy.completed", "went well"),
    Status.FAILED: ("deploy.failed", "failed"),
    Status.CANCELLED: ("deploy.cancelled", "was cancelled"),
}


@receiver(operation_started, dispatch_uid="notifications.operation_started")
def tell_start(sender: Any, operation: Operation, **_: Any) -> None:
    """A deployment begins."""
    if operation.kind == _DEPLOY:
        _publish_deployment(operation, "deploy.started", "began", "started")


@receiver(operation_ended, dispatch_uid="notifications.operation_ended")
def tell_end(sender: Any, operation: Operation, **_: Any) -> None:
    """A deployment or the order of a certificate ends."""
    if operation.kind == _DEPLOY:
        kind, words = _ENDINGS[Status(operation.status)]
        _publish_deployment(operation, kind, words, "ended")
    elif operation.kind == _CERTIFICATE:
        _publish_certificate(operation)


def _publish_deployment(operation: Operation, kind: str, words: str, moment: str) -> None:
    steps = Prefetch("operation__steps", OperationStep.objects.order_by("position"))
    rows = Deployment.objects.select_related("environment__project__organization", "triggered_by")
    deployment = rows.prefetch_related(steps).filter(operation_id=operation.pk).first()
    if deployment is None:
        return
    environment = deployment.environment
    publish(
        kind=kind,
        organization=environment.project.organization,
        environment=environment,
        actor=deployment.triggered_by,
        title=f"Deployment {deployment.number} of {environment.name} {words}",
        data={"deployment": _deployment_data(deployment, operation)},
        path=deployment.get_absolute_url(),
        key=f"operation:{operation.pk}:{moment}",
    )


def _deployment_data(deployment: Deployment, operation: Operation) -> dict[str, Any]:
    failed_step = deployment.failed_step
    return {
        "id": deployment.pk,
        "number": deployment.number,
        "task_id": operation.pk,
        "status": operation.status,
        "trigger": str(deployment.trigger),
        "branch": deployment.branch,
        "commit": deployment.commit,
        "commit_subject": deployment.commit_subject,
        "started_at": operation.started_at,
        "finished_at": operation.finished_at,
        "failed_step": failed_step.name if failed_step is not None else None,
        "error": operation.error,
        "hint": operation.hint,
    }


def _publish_certificate(operation: Operation) -> None:
    """For the environment whose own certificate it is; a shared one is the platform's matter. A cancelled order is
    nobody's news."""
    certificate = operation.subject
    kinds = {Status.COMPLETED: ("certificate.issued", "was issued"), Status.FAILED: ("certificate.failed", "failed")}
    if not isinstance(certificate, Certificate) or operation.status not in kinds:
        return
    routes = Route.objects.select_related("environment__project__organization")
    route = routes.filter(host_name__in=certificate.names).first()
    if route is None or certificate.organization_id != route.environment.project.organization_id:
        return
    kind, words = kinds[operation.status]
    publish(
        kind=kind,
        organization=route.environment.project.organization,
        environment=route.environment,
        title=f"The certificate for {certificate.names[0]} {words}",
        data={"names": certificate.names, "valid_until": certificate.not_after, "error": operation.error},
        path=f"{_address(route.environment)}domains/",
        key=f"operation:{operation.pk}:ended",
    )


@receiver(environment_created, dispatch_uid="notifications.environment_created")
def tell_created(sender: Any, environment: Environment, actor: Any, **_: Any) -> None:
    """An environment is made."""
    _publish_environment(environment, "environment.created", "was made", "created", actor)


@receiver(environment_deleted, dispatch_uid="notifications.environment_deleted")
def tell_deleted(sender: Any, environment: Environment, **_: Any) -> None:
    """An environment is destroyed; its data waits for the purge."""
    last = Operation.objects.about(environment).filter(kind=_DESTROY).select_related("created_by").first()
    actor = last.created_by if last is not None else None
    data = {"purge_after": environment.purge_after}
    _publish_environment(environment, "environment.deleted", "was destroyed", "deleted", actor, data)


@receiver(status_changed, dispatch_uid="notifications.status_changed")
def tell_status(sender: Any, environment: Environment, before: str, **_: Any) -> None:
    """An environment has another state."""
    status = environment.get_status_display().lower()
    data = {"previous_status": str(before), "status": str(environment.status), "reason": environment.status_reason}
    moment = f"status:{environment.status}:{environment.updated_at.isoformat()}"
    _publish_environment(environment, "environment.status_changed", f"is {status} now", moment, None, data)


def _publish_environment(
    environment: Environment, kind: str, words: str, moment: str, actor: Any, data: dict[str, Any] | None = None
) -> None:
    publish(
        kind=kind,
        organization=environment.project.organization,
        environment=environment,
        actor=actor,
        title=f"{environment.name} {words}",
        data=data,
        path=_address(environment),
        key=f"environment:{environment.pk}:{moment}",
    )


def _address(environment: Environment) -> str:
    project = environment.project
    return f"/o/{project.organization.slug}/p/{project.slug}/{environment.slug}/"


@receiver(quota_warning, dispatch_uid="notifications.quota_warning")
def tell_quota_warning(sender: Any, organization: Organization, resource: str, used: str, total: str, **_: Any) -> None:
    """80 % of a quota is used. Sent when the line is passed; at most once a day for each resource."""
    publish(
        kind="quota.warning",
        organization=organization,
        title=f"{organization.name} uses {used} of {total} of its quota: {resource}",
        data={"resource": resource, "used": used, "total": total},
        path=f"/o/{organization.slug}/settings/quotas/",
        key=f"quota:{organization.pk}:warning:{resource}:{clock.now():%Y-%m-%d}",
    )


@receiver(quota_exceeded, dispatch_uid="notifications.quota_exceeded")
def tell_quota_exceeded(sender: Any, organization: Organization, problem: Problem, **_: Any) -> None:
    """A quota stopped something; at most once an hour for the same words, however often somebody tries."""
    publish(
        kind="quota.exceeded",
        organization=organization,
        title=problem.title,
        data={"error": problem.title, "hint": problem.what_to_do},
        path=f"/o/{organization.slug}/settings/quotas/",
        key=f"quota:{organization.pk}:exceeded:{problem.title[:80]}:{clock.now():%Y-%m-%d %H}",
    )
