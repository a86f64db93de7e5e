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
from apps.core.exceptions import Conflict
from apps.environments import naming
from apps.environments.actions import locked
from apps.environments.changes import mark_changed, set_status
from apps.environments.models import Environment, Status
from apps.environments.quotas import ensure_quota
from apps.environments.services import place
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
    address and its short name (the next free one) are its own from now on.

    Raises Conflict `environments.action_not_allowed` for one that was not destroyed, `environments.too_late`,
    `environments.host_name_taken`, `orgs.quota_exceeded`, `orgs.leaving`, `environments.over_capacity`,
    `servers.not_ready`, `servers.network_range_full`, `operations.task_in_progress`.
    """
    lock_quota(environment.project.organization)
    environment = locked(environment)
    if environment.status != Status.DELETED:
        ensure_allowed(environment, "restore")
    if environment.server is None or not may_be_restored(environment):
        raise Conflict("environments.too_late", environment=environment.name)
    if Environment.objects.existing().filter(host_name=environment.host_name).exists():
        raise _name_is_taken(environment)
    ensure_quota(environment)
    place(environment, environment.server)
    environment.slug = _free_slug(environment)
    operation = operations.queue(
        kind=RESTORE_KIND,
        subject=environment,
        organization=environment.organization,
        lock_key=environment.lock_key,
        created_by=actor,
        title=f"Bring back {environment.name}",
        trigger=Trigger.RETRY if retry_of else Trigger.MANUAL,
        retry_of=retry_of,
    )
    _store(environment)
    audit.record(
        action="environment.restore_requested",
        actor=actor,
        organization_id=environment.project.organization_id,
        target=environment,
        before={"destroyed_at": environment.destroyed_at, "purge_after": environment.purge_after},
        after={"host_name": environment.host_name, "slug": environment.slug},
    )
    return operation


def mark_restored(environment: Environment, *, has_data: bool) -> None:
    """The end of bringing back. One that was never really deployed begins anew."""
    environment.destroyed_at = environment.purge_after = None
    environment.save(update_fields=["destroyed_at", "purge_after", "updated_at"])
    set_status(environment, Status.STOPPED if has_data else Status.PENDING)
    mark_changed(environment, "Brought back after it was destroyed")


def give_back(environment: Environment, reason: str = "") -> None:
    """Bringing back failed or was cancelled: it is destroyed as before, until the same day."""
    environment.subnet, environment.addresses = "", {}
    environment.save(update_fields=["subnet", "addresses", "updated_at"])
    set_status(environment, Status.DELETED, reason)


def _store(environment: Environment) -> None:
    """Somebody else may take the address between the look and the write: the constraint decides."""
    try:
        with transaction.atomic():
            environment.save()
            set_status(environment, Status.DEPLOYING, "It is being brought back.")
    except IntegrityError as error:
        if "environment_host_name" in str(error) or "environment_slug" in str(error):
            raise _name_is_taken(environment) from error
        raise


def _free_slug(environment: Environment) -> str:
    """Its own, or the next one where the project has an environment of that short name now."""
    return naming.free_slug(environment.project, environment.environment_type, environment.slug)


def _name_is_taken(environment: Environment) -> Conflict:
    return Conflict("environments.host_name_taken", environment=environment.name, host_name=environment.host_name)
