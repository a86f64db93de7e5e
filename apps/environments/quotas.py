"""What an organization's environments have allocated, held against its quota."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce
from django.dispatch import receiver

from apps.environments.models import Environment
from apps.orgs.models import Organization
from apps.orgs.quotas import Allocation, ensure_within, lock_quota
from apps.orgs.signals import organization_in_use


def allocated(organization: Organization, *, leaving_out: Environment | None = None) -> Allocation:
    """What the environments of an organization have, running or stopped, with a server or without one yet; destroyed
    ones have nothing."""
    environments = Environment.objects.existing().filter(project__organization=organization)
    if leaving_out is not None:
        environments = environments.exclude(pk=leaving_out.pk)
    sums = environments.order_by().aggregate(
        cpu=Coalesce(Sum("cpu"), Decimal(0)),
        memory_megabytes=Coalesce(Sum("memory_megabytes"), 0),
        disk_megabytes=Coalesce(Sum("disk_megabytes"), 0),
        environments=Count("pk"),
    )
    return Allocation(**sums)


def allocation_of(environment: Environment) -> Allocation:
    """What one environment has."""
    return Allocation(
        Decimal(environment.cpu), environment.memory_megabytes, environment.disk_megabytes, environments=1
    )


def ensure_quota(environment: Environment, *, before: Allocation | None = None) -> None:
    """Refuses an environment (new, or one that had `before`) that its organization's quota does not hold, and keeps the
    count as it is until the transaction ends. Call it before any server or environment is locked.

    Raises Conflict `orgs.quota_exceeded`, `orgs.environment_quota_exceeded`, `orgs.leaving`.
    """
    organization = environment.project.organization
    quota = lock_quota(organization, for_something_new=before is None)
    used = allocated(organization, leaving_out=environment)
    ensure_within(quota, used=used, wanted=allocation_of(environment), before=before)


@receiver(organization_in_use, dispatch_uid="environments.organization_in_use")
def name_environments_of_organization(sender: Any, organization: Organization, **_: Any) -> list[str]:
    """An organization is not deleted while an environment of it exists."""
    environments = Environment.objects.existing().filter(project__organization=organization)
    names = environments.order_by("project__name", "name").values_list("project__name", "name")
    return [f"{project} · {name}" for project, name in names]
