"""What Home shows: the organization's environments by project, what needs a person, and the first steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, Exists, OuterRef, Q, Subquery, When, Window
from django.db.models.functions import RowNumber

from apps.deployments.models import Deployment
from apps.environments.models import Environment, EnvironmentQuerySet, EnvironmentType, Status
from apps.operations.models import UNFINISHED, Operation
from apps.operations.models import Status as OperationStatus
from apps.orgs.access import has_permission
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.portal.addresses import environment_address, operation_address, project_address, server_address
from apps.projects.models import Project
from apps.servers.models import Server

CARDS_PER_PROJECT = 6
PROJECTS_PER_PAGE = 12
MOST_CONCERNS = 20
# What a card shows: all columns of three hundred rows would take longer than the rest of the page.
_SHOWN = (
    "project_id", "name", "slug", "environment_type", "status", "host_name", "branch", "needs_redeploy",
    "server__name", "server__https_port",
)  # fmt: skip
_SHOWN_OF_DEPLOYMENT = ("number", "commit", "commit_subject", "created_at", "operation__status")
IMPORTANCE = (EnvironmentType.PRODUCTION, EnvironmentType.STAGING, EnvironmentType.DEVELOPMENT)


@dataclass
class EnvironmentCard:
    """One environment as Home shows it."""

    environment: Environment
    url: str
    deployment: Deployment | None
    operation: Operation | None

    @property
    def tone(self) -> str:
        """`error` and `warning` mark a card that a person should look at."""
        if self.environment.status == Status.ERROR:
            return "error"
        return "warning" if self.failed or self.environment.needs_redeploy else ""

    @property
    def failed(self) -> bool:
        """The last attempt to deploy did not come through."""
        return bool(self.deployment) and self.deployment.operation.status == "failed"


@dataclass
class ProjectGroup:
    """A project with the cards of its first environments; what needs a person stands above them anyway."""

    project: Project
    url: str
    cards: list[EnvironmentCard] = field(default_factory=list)
    total: int = 0

    @property
    def left_out(self) -> int:
        """How many cards the project's own page shows besides."""
        return self.total - len(self.cards)


@dataclass
class Concern:
    """Something that needs a person."""

    level: str
    title: str
    text: str
    url: str


@dataclass
class PathStep:
    """One step from nothing to a running Odoo; state is done, now or later."""

    title: str
    text: str
    url: str
    label: str
    state: str


@dataclass
class Dashboard:
    """Everything on Home."""

    groups: Page
    concerns: list[Concern]
    path: list[PathStep]

    @property
    def is_beginning(self) -> bool:
        """True until a first environment has run."""
        return any(step.state != "done" for step in self.path)


def dashboard_for(organization: Organization, user: Any, page: str | None = None) -> Dashboard:
    """The dashboard of one organization, in a fixed number of queries; `page` is that of the projects. What it reads
    grows with what it shows, not with what there is."""
    servers = Server.objects.visible_to(user).filter(organization=organization)
    environments = Environment.objects.visible_to(user).existing().filter(project__organization=organization)
    projects = Project.objects.visible_to(user).filter(organization=organization).select_related("organization")
    shown = Paginator(projects, PROJECTS_PER_PAGE).get_page(page)
    groups = {project.pk: ProjectGroup(project, project_address(project)) for project in shown}
    first = _first_of_each(environments.filter(project__in=list(groups)))
    for environment in first:
        environment.project = groups[environment.project_id].project
    for card in _cards(first):
        group = groups[card.environment.project_id]
        group.cards.append(card)
        group.total = card.environment.beside
    shown.object_list = list(groups.values())
    concerns = [
        *_server_concerns(servers),
        *_operation_concerns(organization),
        *_environment_concerns(organization, environments),
    ]
    statuses = set(environments.order_by().values_list("status", flat=True).distinct())
    return Dashboard(shown, concerns[:MOST_CONCERNS], _path(organization, user, servers, shown.object_list, statuses))


def _first_of_each(environments: EnvironmentQuerySet) -> list[Environment]:
    """The first environments of each project, with `beside`: how many the project has."""
    importance = Case(*(When(environment_type=kind, then=rank) for rank, kind in enumerate(IMPORTANCE)))
    last = Deployment.objects.filter(environment=OuterRef("pk")).order_by("-number").values("pk")[:1]
    ranked = environments.annotate(importance=importance).annotate(
        rank=Window(RowNumber(), partition_by="project", order_by=["importance", "name"]),
        beside=Window(Count("pk"), partition_by="project"),
    )
    return list(
        ranked.filter(rank__lte=CARDS_PER_PROJECT)
        .select_related("server")
        .only(*_SHOWN)
        .annotate(last_deployment=Subquery(last))
        .order_by("project__name", "rank")
    )


def _cards(environments: list[Environment]) -> list[EnvironmentCard]:
    last = [one.last_deployment for one in environments if one.last_deployment]
    deployments = Deployment.objects.select_related("operation").only(*_SHOWN_OF_DEPLOYMENT).in_bulk(last)
    running = {
        operation.subject_id: operation
        for operation in Operation.objects.filter(
            status__in=UNFINISHED,
            subject_type=Environment._meta.label_lower,
            subject_id__in=[environment.pk for environment in environments],
        ).with_progress()
    }
    return [
        EnvironmentCard(
            environment,
            environment_address(environment),
            deployments.get(environment.last_deployment),
            running.get(environment.pk),
        )
        for environment in environments
    ]


def _server_concerns(servers: TenantQuerySet) -> list[Concern]:
    texts = {
        Server.Status.UNREACHABLE: "cannot be reached",
        Server.Status.ERROR: "has a problem",
    }
    return [
        Concern("error", f"Server {server} {texts[server.status]}", server.status_reason, server_address(server))
        for server in servers.filter(status__in=texts).select_related("organization")[:MOST_CONCERNS]
    ]


def _operation_concerns(organization: Organization) -> list[Concern]:
    found = Operation.objects.filter(organization=organization, needs_attention=True).order_by("-created_at")[:5]
    return [
        Concern(
            "error",
            f"{operation.title} left something undone",
            operation.attention_reason,
            operation_address(operation),
        )
        for operation in found
    ]


def _environment_concerns(organization: Organization, environments: EnvironmentQuerySet) -> list[Concern]:
    """Those that are down, and then those whose last deployment failed while nothing is being done about it."""
    last = Deployment.objects.filter(environment=OuterRef("pk")).order_by("-number")
    busy = Operation.objects.filter(
        organization=organization,
        status__in=UNFINISHED,
        subject_type=Environment._meta.label_lower,
        subject_id=OuterRef("pk"),
    )
    found = environments.annotate(
        last_number=Subquery(last.values("number")[:1]),
        last_status=Subquery(last.values("operation__status")[:1]),
        last_error=Subquery(last.values("operation__error")[:1]),
        is_down=Case(When(status=Status.ERROR, then=1), default=0),
    ).filter(Q(is_down=1) | Q(last_status=OperationStatus.FAILED) & ~Exists(busy))
    ordered = found.without_secrets().select_related("project__organization")
    ordered = ordered.order_by("-is_down", "project__name", "name")
    return [_environment_concern(environment) for environment in ordered[:MOST_CONCERNS]]


def _environment_concern(environment: Environment) -> Concern:
    name, url = f"{environment.project.name} · {environment.name}", environment_address(environment)
    if environment.is_down:
        return Concern("error", f"{name} is down", environment.status_reason, url)
    url = f"{url}deployments/{environment.last_number}/"
    return Concern("warning", f"{name}: the last deployment failed", environment.last_error, url)


def _path(
    organization: Organization, user: Any, servers: TenantQuerySet, groups: list[ProjectGroup], statuses: set[str]
) -> list[PathStep]:
    home = organization.get_absolute_url()
    environments_url = f"{groups[0].url}new/" if groups else ""
    first = next((card.url for group in groups for card in group.cards), "")
    has_server = servers.filter(status=Server.Status.READY).exists()
    deployed = bool(statuses - {Status.PENDING, Status.DEPLOYING})
    steps = (
        ("Add a server", "Any Linux machine that you reach by SSH. Docker is installed where it is missing.",
         f"{home}servers/new/", "Add a server", has_server, "org.servers.create"),
        ("Create a project", "One Odoo application: its version and its Git repositories.",
         f"{home}projects/new/", "Create a project", bool(groups), "org.projects.create"),
        ("Create an environment", "Development, staging or production, with its own database and address.",
         environments_url, "Create an environment", bool(statuses), "project.environments.create"),
        ("Deploy it", "Sixteen steps, which you can watch, to an Odoo that answers.",
         first, "Open the environment", deployed, "project.environments.deploy"),
    )  # fmt: skip
    result, found_now = [], False
    for title, text, url, label, done, code in steps:
        state = "done" if done else "later" if found_now else "now"
        found_now = found_now or not done
        allowed = has_permission(user, code, organization)
        result.append(PathStep(title, text, url if allowed else "", label, state))
    return result
