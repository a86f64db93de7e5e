"""Quotas: what an organization may allocate. Allocations count, running or stopped; what is destroyed counts no more.
Whoever allocates holds the organization's row from the count to the promise: twenty at once never get more than there
is. What is allocated is counted by the layers above."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import wraps
from typing import Any

from apps.core.exceptions import Conflict
from apps.orgs.models import Organization, Quota
from apps.orgs.services import lock_open, lock_organization
from apps.orgs.signals import quota_exceeded, quota_warning

WARNING_PERCENT = 80
# Of its primary's CPU and memory; the disk holds the same data.
REPLICA_SHARE = Decimal("0.3")


@dataclass(frozen=True)
class Resource:
    """One kind of thing that a quota limits: the name of its field, what people call it, and its unit."""

    field: str
    name: str
    unit: str


RESOURCES = (
    Resource("cpu", "CPU", "cores"),
    Resource("memory_megabytes", "memory", "MB"),
    Resource("disk_megabytes", "disk", "MB"),
    Resource("environments", "environments", ""),
    Resource("servers", "servers", ""),
)
OF_ONE_ENVIRONMENT = RESOURCES[:3]


@dataclass(frozen=True)
class Allocation:
    """An amount of everything that a quota limits: CPU in cores, memory and disk in MB."""

    cpu: Decimal = Decimal(0)
    memory_megabytes: int = 0
    disk_megabytes: int = 0
    environments: int = 0
    servers: int = 0

    def __add__(self, other: Allocation) -> Allocation:
        return Allocation(*(self.of(one) + other.of(one) for one in RESOURCES))

    def of(self, resource: Resource) -> Any:
        """How much of one resource."""
        return getattr(self, resource.field)


def replica_share(primary: Allocation) -> Allocation:
    """What a replica of an environment counts: 30 % of its CPU and memory (rounded up to a MB), and all of its disk. It
    is no environment of its own."""
    memory = math.ceil(primary.memory_megabytes * REPLICA_SHARE)
    return Allocation(primary.cpu * REPLICA_SHARE, memory, primary.disk_megabytes)


def lock_quota(organization: Organization, *, for_something_new: bool = True) -> Quota:
    """The organization's quota; what it has allocated stays as it is until the transaction ends. Take this lock before
    that of a server or an environment.

    Raises Conflict `orgs.leaving` for something new in an organization that will be deleted.
    """
    locked = (lock_open if for_something_new else lock_organization)(organization)
    return quota_of(locked)


def quota_of(organization: Organization) -> Quota:
    """The quota; an organization that nobody set one for has one without limits."""
    return Quota.objects.get_or_create(organization=organization)[0]


def ensure_within(quota: Quota, *, used: Allocation, wanted: Allocation, before: Allocation | None = None) -> None:
    """Refuses what would exceed the quota; call it with the lock. `used` is everything else, `wanted` what one thing is
    to have, `before` what it has now: a smaller one is allowed wherever the quota stands.

    Raises Conflict `orgs.quota_exceeded` or `orgs.environment_quota_exceeded`, which name the resource and the numbers.
    """
    before = before or Allocation()
    for resource in RESOURCES:
        limit, amount = getattr(quota, resource.field), wanted.of(resource)
        if limit is not None and amount > before.of(resource) and used.of(resource) + amount > limit:
            raise _exceeded(quota, resource, amount, used.of(resource), limit)
    for resource in OF_ONE_ENVIRONMENT:
        limit, amount = getattr(quota, f"environment_{resource.field}"), wanted.of(resource)
        if limit is not None and amount > before.of(resource) and amount > limit:
            raise _marked(
                quota,
                "orgs.environment_quota_exceeded",
                resource=resource.name,
                wanted=amount_text(amount, resource),
                total=amount_text(limit, resource),
            )
    for resource in RESOURCES:
        _warn(quota, resource, used.of(resource) + before.of(resource), used.of(resource) + wanted.of(resource))


def _exceeded(quota: Quota, resource: Resource, wanted: Any, used: Any, limit: Any) -> Conflict:
    return _marked(
        quota,
        "orgs.quota_exceeded",
        resource=resource.name,
        wanted=amount_text(wanted, resource),
        free=amount_text(max(limit - used, 0), resource),
        total=amount_text(limit, resource),
        allocated=amount_text(used, resource),
    )


def _marked(quota: Quota, code: str, **context: str) -> Conflict:
    conflict = Conflict(code, organization=quota.organization.name, **context)
    conflict.exceeded_by = quota.organization
    return conflict


def _warn(quota: Quota, resource: Resource, before: Any, after: Any) -> None:
    limit = getattr(quota, resource.field)
    if limit and before * 100 < limit * WARNING_PERCENT <= after * 100:
        quota_warning.send(
            Quota,
            organization=quota.organization,
            resource=resource.name,
            used=amount_text(after, resource),
            total=amount_text(limit, resource),
        )


def announced(function: Callable[..., Any]) -> Callable[..., Any]:
    """For services that allocate, outside of their transaction: a refusal by the quota is told (`quota_exceeded`) when
    what it undid is undone, so that the news stays. Whoever calls such a service inside a transaction of their own,
    which takes the news back with it, is decorated as well."""

    @wraps(function)
    def telling(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except Conflict as problem:
            organization = getattr(problem, "exceeded_by", None)
            if organization is not None:
                quota_exceeded.send_robust(Quota, organization=organization, problem=problem)
            raise

    return telling


def amount_text(amount: Any, resource: Resource) -> str:
    """`2.5 cores`, `1 core`, `4096 MB`, `3`."""
    unit = resource.unit.removesuffix("s") if amount == 1 else resource.unit
    return f"{Decimal(amount).normalize():f} {unit}".strip()
