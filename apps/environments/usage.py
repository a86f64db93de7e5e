"""What was allocated over time: one sample an hour for each organization and each project that has anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum

from apps.core import clock
from apps.environments.models import Environment
from apps.orgs.models import Organization, UsageSample
from apps.orgs.quotas import Allocation
from apps.servers.models import Server

# Every hour is kept for this long; of older days one sample (that of 00:00 UTC) for as long as the second.
HOURLY = timedelta(days=90)
DAILY = timedelta(days=730)
_BATCH = 1000


def take_samples() -> int:
    """Writes the samples of this full hour; returns how many. Harmless to repeat: the first of an hour stays."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    samples = list(_samples(hour))
    UsageSample.objects.bulk_create(samples, batch_size=_BATCH, ignore_conflicts=True)
    return len(samples)


def thin_out() -> int:
    """Deletes what is kept no longer; returns how many samples."""
    now = clock.now()
    older = UsageSample.objects.filter(taken_at__lt=now - HOURLY).exclude(taken_at__hour=0)
    oldest = UsageSample.objects.filter(taken_at__lt=now - DAILY)
    return older.delete()[0] + oldest.delete()[0]


def _samples(hour: datetime) -> Iterator[UsageSample]:
    servers = dict(Server.objects.order_by().values_list("organization").annotate(count=Count("pk")))
    totals: dict[Any, Allocation] = {}
    for row in _allocated_by_project():
        allocation = Allocation(row["cpu"], row["memory"], row["disk"], row["count"])
        organization_id = row["project__organization_id"]
        totals[organization_id] = totals.get(organization_id, Allocation()) + allocation
        yield _sample(hour, organization_id, allocation, project=(row["project_id"], row["project__name"]))
    for organization_id in Organization.objects.order_by().values_list("pk", flat=True).iterator():
        allocation = totals.get(organization_id, Allocation())
        yield _sample(hour, organization_id, allocation, servers=servers.get(organization_id, 0))


def _allocated_by_project() -> Any:
    fields = ("project_id", "project__name", "project__organization_id")
    return (
        Environment.objects.existing()
        .order_by()
        .values(*fields)
        .annotate(cpu=Sum("cpu"), memory=Sum("memory_megabytes"), disk=Sum("disk_megabytes"), count=Count("pk"))
    )


def _sample(
    hour: datetime,
    organization_id: Any,
    allocation: Allocation,
    *,
    project: tuple[Any, str] = (None, ""),
    servers: int = 0,
) -> UsageSample:
    return UsageSample(
        organization_id=organization_id,
        on_project=project[0],
        project_name=project[1],
        taken_at=hour,
        cpu=Decimal(allocation.cpu),
        memory_megabytes=allocation.memory_megabytes,
        disk_megabytes=allocation.disk_megabytes,
        environments=allocation.environments,
        servers=servers,
    )
