"""Deployments: queued, tried again, and what people get of the Odoo that runs."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max

from apps.audit import services as audit
from apps.core.exceptions import Conflict, Problem
from apps.deployments import login, passwords
from apps.deployments.models import Deployment, DeploymentStatus, Release, Trigger
from apps.environments.actions import locked
from apps.environments.changes import set_status
from apps.environments.models import Environment, Status
from apps.environments.render import specification_of
from apps.environments.states import deploy_action, ensure_allowed
from apps.operations import services as operations
from apps.operations.models import Operation
from apps.operations.models import Trigger as OperationTrigger
from apps.servers.host import open_host

KIND = "environment.deploy"
_OPERATION_TRIGGERS = {
    Trigger.MANUAL: OperationTrigger.MANUAL,
    Trigger.API: OperationTrigger.API,
    Trigger.PUSH: OperationTrigger.PUSH,
    Trigger.RETRY: OperationTrigger.RETRY,
}


@transaction.atomic
def deploy(
    *,
    environment: Environment,
    user: Any,
    trigger: str = Trigger.MANUAL,
    commit: str | None = None,
    refresh_image: bool = False,
    release: Release | None = None,
    retry_of: Operation | None = None,
) -> Deployment:
    """Queues the first deployment of an environment, or another one.

    `commit` fixes the primary repository; `refresh_image` asks the registry whether the official image has moved;
    `release` is applied as it is. Raises Conflict `environments.action_not_allowed`, `environments.no_server`,
    `operations.task_in_progress`.
    """
    environment = locked(environment)
    ensure_allowed(environment, deploy_action(environment))
    if environment.server_id is None:
        raise Conflict("environments.no_server", environment=environment.name)
    parameters: dict[str, Any] = {"previous_status": environment.status}
    if commit:
        parameters["commit"] = commit
    if refresh_image:
        parameters["refresh_image"] = True
    if release is not None:
        parameters["release_id"] = str(release.pk)
    number = (environment.deployments.aggregate(last=Max("number"))["last"] or 0) + 1
    operation = operations.queue(
        kind=KIND,
        subject=environment,
        organization=environment.organization,
        lock_key=environment.lock_key,
        parameters=parameters,
        created_by=user,
        trigger=_OPERATION_TRIGGERS.get(Trigger(trigger), OperationTrigger.FOLLOW_UP),
        title=f"Deploy {environment.name}"[:200],
        retry_of=retry_of,
    )
    deployment = Deployment.objects.create(
        environment=environment,
        number=number,
        operation=operation,
        release=release,
        trigger=trigger,
        triggered_by=user,
        branch=environment.branch,
        is_first=not environment.releases.exclude(applied_at=None).exists(),
    )
    set_status(environment, Status.DEPLOYING)
    _record("deployment.requested", deployment, user, after={"number": number, "trigger": str(trigger)})
    return deployment


@transaction.atomic
def retry(*, deployment: Deployment, user: Any) -> Deployment:
    """A new deployment with the same configuration: the same commits and, once known, the same image. Only from a
    failed one. Raises Conflict `deployments.not_retryable`, and what `deploy` raises."""
    status = deployment.status
    if status != DeploymentStatus.FAILED:
        label = DeploymentStatus(status).label.lower()
        raise Conflict("deployments.not_retryable", number=deployment.number, status=label)
    return deploy(
        environment=deployment.environment,
        user=user,
        trigger=Trigger.RETRY,
        release=deployment.release,
        retry_of=deployment.operation,
    )


def cancel(*, deployment: Deployment, user: Any) -> Operation:
    """Stops a deployment; what it did is undone. Raises Conflict `operations.not_cancellable`."""
    return operations.cancel(operation=deployment.operation, user=user)


def one_use_login_url(*, environment: Environment, user: Any) -> str:
    """An address that signs in as the administrator once, within 60 seconds. Raises Conflict
    `deployments.not_running`, and what reaching the server raises."""
    if environment.status != Status.RUNNING:
        raise Conflict("deployments.not_running", environment=environment.name)
    specification = specification_of(environment)
    with open_host(environment.server) as host:
        token = login.write_ticket(host, specification, login=environment.admin_login)
    _record("environment.opened_as_administrator", environment, user)
    return login.login_url(environment, token)


@transaction.atomic
def reveal_admin_password(*, environment: Environment, user: Any) -> tuple[str, str]:
    """The administrator's login and first password: given out once, and forgotten here. Raises Problem
    `deployments.password_already_shown`, Conflict `deployments.not_running` before the first deployment."""
    environment = locked(environment)
    if not environment.admin_password_hash:
        raise Conflict("deployments.not_running", environment=environment.name)
    password = environment.admin_password
    if not password:
        raise Problem("deployments.password_already_shown")
    environment.admin_password = ""
    environment.save(update_fields=["admin_password", "updated_at"])
    _record("environment.admin_password_shown", environment, user)
    return environment.admin_login, password


def check_admin_password(*, environment: Environment) -> bool:
    """Looks whether the administrator's password is still the first one, and notes the answer."""
    if environment.admin_password_changed or environment.status != Status.RUNNING:
        return environment.admin_password_changed
    with open_host(environment.server) as host:
        is_changed = passwords.is_changed(host, environment, specification_of(environment))
    if is_changed:
        Environment.objects.filter(pk=environment.pk).update(admin_password_changed=True)
    return is_changed


def _record(action: str, target: Any, user: Any, **details: Any) -> None:
    audit.record(action=action, actor=user, organization_id=target.organization.pk, target=target, **details)
