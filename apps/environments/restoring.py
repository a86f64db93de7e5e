"""Bringing a destroyed environment back during its grace period.

Destroying gave its place on the server, its address and its short name free: they are promised anew, under the same
locks as for a new one. It needs the permission to create environments, because that is what it takes from others;
nothing is deleted by it.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.environments import naming
from apps.environments.actions import locked
from apps.environments.changes import mark_changed, set_status
from apps.environments.models import Environment, Status
from apps.environments.quotas import ensure_quota
from apps.environments.services import ATTEMPTS, place
from apps.environments.states import ensure_allowed
from apps.operations import services as operations
from apps.operations.models import Operation, Trigger
from apps.orgs.quotas import announced, lock_quota

RESTORE_KIND = "environment.restore"
PERMISSION = "project.environments.create"


def may_be_restored(environment: Environment) -> bool:
    """True while a destroyed environment's data waits in the trash, and its grace period is not over."""
    waits = environment.status == Status.DELETED and environment.purged_at is None
    return waits and environment.purge_after is not None and environment.purge_after > clock.now()


@announced
@transaction.atomic
def request_restore(*, environment: Environment, actor: User | None, retry_of: Operation | None = None) -> Operation:
    """Queues bringing a destroyed environment back: it is `stopped` then, and a deployment starts it. Its place, its
    address and its short name are its own from now on: those that it had, or the next free ones where somebody else has
    them meanwhile (`operation.parameters["former_host_name"]` is the lost address, empty else).

    Raises Conflict `environments.action_not_allowed` for one that was not destroyed, `environments.too_late`,
    `orgs.quota_exceeded`, `orgs.leaving`, `environments.over_capacity`, `servers.not_ready`,
    `servers.network_range_full`, `operations.task_in_progress`; Problem `environments.name_unavailable`.
    """
    lock_quota(environment.project.organization)
    environment = locked(environment)
    if environment.status != Status.DELETED:
        ensure_allowed(environment, "restore")
    if environment.server is None or not may_be_restored(environment):
        raise Conflict("environments.too_late", environment=environment.name)
    ensure_quota(environment)
    place(environment, environment.server)
    had = {"host_name": environment.host_name, "slug": environment.slug}
    _store(environment)
    former = had["host_name"] if environment.host_name != had["host_name"] else ""
    operation = operations.queue(
        kind=RESTORE_KIND,
        subject=environment,
        organization=environment.organization,
        lock_key=environment.lock_key,
        created_by=actor,
        title=f"Bring back {environment.name}",
        parameters={"former_host_name": former},
        trigger=Trigger.RETRY if retry_of else Trigger.MANUAL,
        retry_of=retry_of,
    )
    audit.record(
        action="environment.restore_requested",
        actor=actor,
        organization_id=environment.project.organization_id,
        target=environment,
        before={"destroyed_at": environment.destroyed_at, "purge_after": environment.purge_after, **had},
        after={"host_name": environment.host_name, "slug": environment.slug},
    )
    return operation


def mark_restored(environment: Environment, *, has_data: bool, former_host_name: str = "") -> None:
    """The end of bringing back. One that was never really deployed begins anew."""
    environment.destroyed_at = environment.purge_after = None
    environment.save(update_fields=["destroyed_at", "purge_after", "updated_at"])
    set_status(environment, Status.STOPPED if has_data else Status.PENDING)
    mark_changed(environment, "Brought back after it was destroyed")
    if former_host_name:
        mark_changed(environment, f"Address {environment.host_name} instead of {former_host_name}")


def give_back(environment: Environment, reason: str = "") -> None:
    """Bringing back failed or was cancelled: it is destroyed as before, until the same day."""
    environment.subnet, environment.addresses = "", {}
    environment.save(update_fields=["subnet", "addresses", "updated_at"])
    set_status(environment, Status.DELETED, reason)


def _store(environment: Environment) -> None:
    """Stores it under its own names where they are free, else under the next ones. Somebody else may take one between
    the look and the write: the constraints decide, and the next ones are tried."""
    wanted_slug = environment.slug
    for _ in range(ATTEMPTS):
        environment.slug = naming.free_slug(environment.project, environment.environment_type, wanted_slug)
        if Environment.objects.existing().filter(host_name=environment.host_name).exists():
            environment.host_name = naming.free_host_name(environment.project, environment.environment_type)
        try:
            with transaction.atomic():
                environment.save()
                set_status(environment, Status.DEPLOYING, "It is being brought back.")
            return
        except IntegrityError as error:
            if "environment_host_name" not in str(error) and "environment_slug" not in str(error):
                raise
    raise Problem("environments.name_unavailable", project=environment.project.name)
