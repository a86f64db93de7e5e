"""What Home shows: the organization's environments by project, what needs a person, and the first steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, OuterRef, Subquery, When

from apps.deployments.models import Deployment
from apps.environments.models import Environment, EnvironmentType, Status
from apps.operations.models import UNFINISHED, Operation
from apps.orgs.access import has_permission
from apps.orgs.models import Organization
from apps.portal.addresses import environment_address, operation_address, project_address, server_address
from apps.projects.models import Project
from apps.servers.models import Server

CARDS_PER_PROJECT = 6
PROJECTS_PER_PAGE = 12
MOST_CONCERNS = 20
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
    """A project with the cards of its environments."""

    project: Project
    url: str
    cards: list[EnvironmentCard] = field(default_factory=list)

    @property
    def shown(self) -> list[EnvironmentCard]:
        """The first cards; what needs a person stands above them anyway."""
        return self.cards[:CARDS_PER_PROJECT]

    @property
    def left_out(self) -> int:
        """How many cards the project's own page shows besides."""
        return max(0, len(self.cards) - CARDS_PER_PROJECT)


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
    """The dashboard of one organization, in a fixed number of queries; `page` is that of the projects."""
    environments = _environments(organization, user)
    projects = list(Project.objects.visible_to(user).filter(organization=organization).select_related("organization"))
    servers = list(Server.objects.visible_to(user).filter(organization=organization).select_related("organization"))
    cards = _cards(organization, environments)
    groups = {project.pk: ProjectGroup(project, project_address(project)) for project in projects}
    for card in cards:
        groups[card.environment.project_id].cards.append(card)
    deployed = any(card.environment.status not in (Status.PENDING, Status.DEPLOYING) for card in cards)
    concerns = [*_server_concerns(servers), *_operation_concerns(organization), *_environment_concerns(cards)]
    return Dashboard(
        groups=Paginator(list(groups.values()), PROJECTS_PER_PAGE).get_page(page),
        concerns=concerns[:MOST_CONCERNS],
        path=_path(organization, user, servers, projects, cards, deployed),
    )


def _environments(organization: Organization, user: Any) -> list[Environment]:
    last = Deployment.objects.filter(environment=OuterRef("pk")).order_by("-number").values("pk")[:1]
    return list(
        Environment.objects.visible_to(user)
        .existing()
        .filter(project__organization=organization)
        .select_related("project__organization", "server")
        .annotate(last_deployment=Subquery(last))
        .annotate(importance=Case(*(When(environment_type=kind, then=rank) for rank, kind in enumerate(IMPORTANCE))))
        .order_by("project__name", "importance", "name")
    )


def _cards(organization: Organization, environments: list[Environment]) -> list[EnvironmentCard]:
    deployments = Deployment.objects.select_related("operation", "triggered_by").in_bulk(
        [one.last_deployment for one in environments if one.last_deployment]
    )
    running = {
        operation.subject_id: operation
        for operation in Operation.objects.filter(
            organization=organization, status__in=UNFINISHED, subject_type=Environment._meta.label_lower
        ).prefetch_related("steps")
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


def _server_concerns(servers: list[Server]) -> list[Concern]:
    texts = {
        Server.Status.UNREACHABLE: "cannot be reached",
        Server.Status.ERROR: "has a problem",
    }
    return [
        Concern("error", f"Server {server} {texts[server.status]}", server.status_reason, server_address(server))
        for server in servers
        if server.status in texts
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


def _environment_concerns(cards: list[EnvironmentCard]) -> list[Concern]:
    concerns = []
    for card in cards:
        name = f"{card.environment.project.name} · {card.environment.name}"
        if card.environment.status == Status.ERROR:
            concerns.append(Concern("error", f"{name} is down", card.environment.status_reason, card.url))
        elif card.failed and card.operation is None:
            url = f"{card.url}deployments/{card.deployment.number}/"
            text = card.deployment.operation.error
            concerns.append(Concern("warning", f"{name}: the last deployment failed", text, url))
    return sorted(concerns, key=lambda concern: concern.level)


def _path(
    organization: Organization, user: Any, servers: list, projects: list, cards: list, deployed: bool
) -> list[PathStep]:
    home = organization.get_absolute_url()
    environments_url = project_address(projects[0]) + "new/" if projects else ""
    steps = (
        ("Add a server", "Any Linux machine that you reach by SSH. Docker is installed where it is missing.",
         f"{home}servers/new/", "Add a server", any(server.is_ready for server in servers), "org.servers.create"),
        ("Create a project", "One Odoo application: its version and its Git repositories.",
         f"{home}projects/new/", "Create a project", bool(projects), "org.projects.create"),
        ("Create an environment", "Development, staging or production, with its own database and address.",
         environments_url, "Create an environment", bool(cards), "project.environments.create"),
        ("Deploy it", "Sixteen steps, which you can watch, to an Odoo that answers.",
         cards[0].url if cards else "", "Open the environment", deployed, "project.environments.deploy"),
    )  # fmt: skip
    result, found_now = [], False
    for title, text, url, label, done, code in steps:
        state = "done" if done else "later" if found_now else "now"
        found_now = found_now or not done
        allowed = has_permission(user, code, organization)
        result.append(PathStep(title, text, url if allowed else "", label, state))
    return result
