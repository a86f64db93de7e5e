"""What people ask an environment to do: each becomes an operation, at most one at a time per environment."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.environments.changes import set_status
from apps.environments.models import Environment, EnvironmentType, Status
from apps.environments.signals import deployment_wanted, environment_deleted
from apps.environments.states import deploy_action, ensure_allowed
from apps.operations import services as operations
from apps.operations.models import Operation, Trigger
from apps.platform.current import current

CONTROL_ACTIONS = ("start", "stop", "restart", "pause", "resume", "sync")
# The permission that each action needs.
PERMISSIONS = dict.fromkeys(CONTROL_ACTIONS, "project.environments.control") | {
    "deploy": "project.environments.deploy",
    "redeploy": "project.environments.deploy",
    "destroy": "project.environments.delete",
    "clone": "project.environments.clone",
}
_TITLES = {
    "start": "Start {}",
    "stop": "Stop {}",
    "restart": "Restart {}",
    "pause": "Pause {}",
    "resume": "Resume {}",
    "sync": "Read the true state of {}",
}


@transaction.atomic
def request_action(*, environment: Environment, action: str, user: User, trigger: str = Trigger.MANUAL) -> Operation:
    """Queues start, stop, restart, pause, resume or sync. Raises Conflict `environments.action_not_allowed`,
    `environments.no_server`, `operations.task_in_progress`; Problem `environments.unknown_action`."""
    if action not in CONTROL_ACTIONS:
        raise Problem("environments.unknown_action", action=action, known=", ".join(CONTROL_ACTIONS))
    environment = locked(environment)
    ensure_allowed(environment, action)
    if environment.server_id is None:
        raise Conflict("environments.no_server", environment=environment.name)
    operation = operations.queue(
        kind=f"environment.{action}",
        subject=environment,
        organization=environment.organization,
        lock_key=environment.lock_key,
        created_by=user,
        trigger=trigger,
        title=_TITLES[action].format(environment.name),
    )
    _record(f"environment.{action}_requested", environment, user)
    return operation


@transaction.atomic
def request_deployment(*, environment: Environment, actor: User, trigger: str = Trigger.MANUAL) -> Any:
    """Queues the first deployment or another one, and returns it (a Deployment, which this layer does not know).

    Raises Conflict `environments.action_not_allowed`, `environments.no_server`, `operations.task_in_progress`.
    """
    environment = locked(environment)
    ensure_allowed(environment, deploy_action(environment))
    if environment.server_id is None:
        raise Conflict("environments.no_server", environment=environment.name)
    answers = deployment_wanted.send(Environment, environment=environment, actor=actor, trigger=trigger)
    deployments = [deployment for _receiver, deployment in answers if deployment is not None]
    if not deployments:
        raise Problem("environments.nothing_deploys")
    return deployments[0]


@transaction.atomic
def destroy_environment(
    *, environment: Environment, confirmation: str, actor: User, understood: bool = False
) -> Operation:
    """Takes the environment off its server; its data stays in the server's trash until the grace period ends.

    `confirmation` is what the person typed: the name, or the host name of a production environment, for which
    `understood` must be true as well. Raises Problem `environments.confirmation_differs`,
    `environments.production_not_confirmed`; Conflict as `request_action`.
    """
    environment = locked(environment)
    expected = expected_confirmation(environment)
    if environment.environment_type == EnvironmentType.PRODUCTION and not understood:
        raise Problem("environments.production_not_confirmed", expected=expected)
    if confirmation != expected:
        raise Problem("environments.confirmation_differs", expected=expected)
    ensure_allowed(environment, "destroy")
    return queue_destroy(environment=environment, actor=actor)


def expected_confirmation(environment: Environment) -> str:
    """What a person types to destroy it: of a production environment the address that its users know."""
    production = environment.environment_type == EnvironmentType.PRODUCTION
    return environment.host_name if production else environment.name


def queue_destroy(*, environment: Environment, actor: User | None, retry_of: Operation | None = None) -> Operation:
    """Queues the destruction. Call it with the row locked, after every check."""
    operation = operations.queue(
        kind="environment.destroy",
        subject=environment,
        organization=environment.organization,
        parameters={"previous_status": environment.status},
        lock_key=environment.lock_key,
        created_by=actor,
        title=f"Destroy {environment.name}",
        trigger=Trigger.RETRY if retry_of else Trigger.MANUAL,
        retry_of=retry_of,
    )
    set_status(environment, Status.DESTROYING)
    _record("environment.destroy_requested", environment, actor)
    return operation


def mark_deleted(environment: Environment) -> None:
    """The end of destroying: what it held on its server is free at once, and its data waits for the purge."""
    now = clock.now()
    environment.destroyed_at = now
    environment.purge_after = now + current().destroyed_retention
    environment.subnet, environment.addresses = "", {}
    environment.needs_redeploy, environment.pending_changes = False, []
    if environment.server_id is None:
        environment.purged_at = now
    environment.save()
    set_status(environment, Status.DELETED)
    environment_deleted.send(Environment, environment=environment)


@transaction.atomic
def request_purge(*, environment: Environment, actor: User | None = None, trigger: str = Trigger.MANUAL) -> Operation:
    """Queues the removal of a destroyed environment's data, for good. Raises Conflict `environments.already_purged`,
    `environments.action_not_allowed` for one that was not destroyed, `operations.task_in_progress`."""
    environment = locked(environment)
    if environment.status != Status.DELETED:
        ensure_allowed(environment, "purge")
    if environment.purged_at is not None:
        raise Conflict("environments.already_purged", environment=environment.name)
    operation = operations.queue(
        kind="environment.purge",
        subject=environment,
        organization=environment.organization,
        lock_key=environment.lock_key,
        created_by=actor,
        trigger=trigger,
        title=f"Purge {environment.name}",
    )
    _record("environment.purge_requested", environment, actor)
    return operation


def mark_purged(environment: Environment) -> None:
    """The end of purging: nothing that opened the environment is kept either."""
    environment.purged_at = clock.now()
    environment.database_password = environment.master_password = environment.admin_password = ""
    environment.save()
    environment.variables.all().delete()


def purge_expired() -> int:
    """Queues a purge for every destroyed environment whose grace period is over; returns how many."""
    queued = 0
    expired = Environment.objects.filter(status=Status.DELETED, purged_at=None, purge_after__lte=clock.now())
    for environment in expired.order_by("purge_after"):
        try:
            request_purge(environment=environment, trigger=Trigger.SCHEDULE)
        except Conflict:
            continue
        queued += 1
    return queued


def locked(environment: Environment) -> Environment:
    """The row as it is now, held until the transaction ends."""
    return (
        Environment.objects.select_for_update(of=["self"])
        .select_related("project__organization", "server")
        .get(pk=environment.pk)
    )


def _record(action: str, environment: Environment, actor: User | None) -> None:
    organization_id = environment.project.organization_id
    audit.record(action=action, actor=actor, organization_id=organization_id, target=environment)
