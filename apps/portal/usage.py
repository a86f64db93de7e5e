"""What the page of quotas and usage shows: allocated against quota, per project and environment, and over time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Sum, Window
from django.db.models.functions import RowNumber

from apps.core import clock
from apps.core.templatetags.core import megabytes
from apps.environments.models import Environment
from apps.environments.quotas import allocated
from apps.orgs.models import Organization, Quota, UsageSample
from apps.orgs.quotas import OF_ONE_ENVIRONMENT, RESOURCES, Allocation, Resource, amount_text, quota_of
from apps.portal.addresses import environment_address, project_address
from apps.projects.models import Project
from apps.servers.models import Server

PERIODS = (("1", "Day"), ("7", "Week"), ("30", "Month"), ("90", "Quarter"))
PROJECTS_PER_PAGE = 10
ENVIRONMENTS_PER_PROJECT = 10
ROWS_WITHOUT_SCRIPT = 32
_SHOWN = ("project_id", "name", "slug", "status", "cpu", "memory_megabytes", "disk_megabytes", "server__name")


def title_of(resource: Resource) -> str:
    """`CPU`, `Memory`, …"""
    return resource.name[0].upper() + resource.name[1:]


@dataclass(frozen=True)
class Line:
    """One resource: what is allocated of how much (None: unlimited)."""

    resource: Resource
    used: Any
    limit: Any

    @property
    def title(self) -> str:
        return title_of(self.resource)

    @property
    def text(self) -> str:
        """`3 of 8 cores`, or what is allocated where there is no limit."""
        if self.limit is None:
            return f"{self.amount(self.used)}, unlimited"
        used = self.amount(self.used)
        used = used if self.resource.unit == "MB" else used.partition(" ")[0]
        return f"{used} of {self.amount(self.limit)}"

    def amount(self, amount: Any) -> str:
        """An amount of this resource with its unit."""
        return megabytes(amount) if self.resource.unit == "MB" else amount_text(amount, self.resource)

    @property
    def is_exceeded(self) -> bool:
        """More is allocated than there may be: the quota was lowered since."""
        return self.limit is not None and self.used > self.limit


@dataclass
class ProjectUsage:
    """A project with its environments, the largest part of the page."""

    project: Project
    url: str
    total: Allocation
    environments: list[tuple[Environment, str]]

    @property
    def left_out(self) -> int:
        """How many environments the page does not name."""
        return self.total.environments - len(self.environments)


def lines(organization: Organization) -> list[Line]:
    """Every resource of the organization."""
    quota = quota_of(organization)
    used = allocated(organization) + Allocation(servers=Server.objects.filter(organization=organization).count())
    return [Line(resource, used.of(resource), getattr(quota, resource.field)) for resource in RESOURCES]


def environment_limits(quota: Quota) -> list[str]:
    """What one environment may have at most: `CPU 4 cores`, …"""
    limits = [Line(resource, 0, getattr(quota, f"environment_{resource.field}")) for resource in OF_ONE_ENVIRONMENT]
    return [f"{line.resource.name} {line.amount(line.limit)}" for line in limits if line.limit is not None]


def projects_page(organization: Organization, user: Any, number: str | None) -> Page:
    """The projects that the person sees, with what their environments have, in a fixed number of queries."""
    projects = Project.objects.visible_to(user).filter(organization=organization).select_related("organization")
    page = Paginator(projects.order_by("name"), PROJECTS_PER_PAGE).get_page(number)
    shown = list(page.object_list)
    environments = Environment.objects.existing().filter(project__in=shown)
    sums = (
        environments.order_by()
        .values("project_id")
        .annotate(cpu=Sum("cpu"), memory=Sum("memory_megabytes"), disk=Sum("disk_megabytes"), count=Count("pk"))
    )
    totals = {row["project_id"]: Allocation(row["cpu"], row["memory"], row["disk"], row["count"]) for row in sums}
    rows: dict[Any, list[tuple[Environment, str]]] = {}
    place = Window(RowNumber(), partition_by="project", order_by="name")
    visible = environments.visible_to(user).annotate(place=place).select_related("server").only(*_SHOWN)
    by_key = {project.pk: project for project in shown}
    for environment in visible.filter(place__lte=ENVIRONMENTS_PER_PROJECT).order_by("project", "name"):
        environment.project = by_key[environment.project_id]
        rows.setdefault(environment.project_id, []).append((environment, environment_address(environment)))
    page.object_list = [
        ProjectUsage(project, project_address(project), totals.get(project.pk, Allocation()), rows.get(project.pk, []))
        for project in shown
    ]
    return page


def samples(organization: Organization, days: int, project: Project | None) -> list[UsageSample]:
    """The samples of the last days, the oldest first: of the whole organization, or of one project."""
    rows = UsageSample.objects.filter(organization=organization, taken_at__gte=clock.now() - timedelta(days=days))
    return list(rows.filter(on_project=project.pk if project else None).order_by("taken_at"))


def plot(rows: Iterable[UsageSample], quota: Quota | None) -> dict[str, Any]:
    """What `static/js/usage.js` draws: times in seconds, for each resource values and limit; memory and disk in GB."""
    rows = list(rows)
    gigabytes = {"memory_megabytes", "disk_megabytes"}
    charts = []
    for resource in OF_ONE_ENVIRONMENT:
        divisor = 1024 if resource.field in gigabytes else 1
        limit = getattr(quota, resource.field) if quota else None
        unit = "GB" if divisor > 1 else resource.unit
        charts.append(
            {
                "title": f"{title_of(resource)} ({unit})",
                "values": [round(float(getattr(row, resource.field)) / divisor, 2) for row in rows],
                "limit": round(float(limit) / divisor, 2) if limit is not None else None,
            }
        )
    return {"times": [int(row.taken_at.timestamp()) for row in rows], "charts": charts}


def thinned(rows: list[UsageSample]) -> list[UsageSample]:
    """As many samples as a table for readers without JavaScript can hold, evenly over the period, the newest first."""
    step = max(1, -(-len(rows) // ROWS_WITHOUT_SCRIPT))
    return rows[::-1][::step]
