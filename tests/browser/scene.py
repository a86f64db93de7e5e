"""An organization with something of everything, for looking at pages: servers, projects, environments in each state,
deployments with sixteen steps and log lines. Rows are written directly: what matters here is how they look."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from apps.accounts.models import User
from apps.core import clock
from apps.deployments.models import Deployment
from apps.environments.models import Environment, EnvironmentType, Status
from apps.notifications.models import Delivery, Webhook
from apps.operations.models import Operation
from apps.orgs.models import Organization
from apps.orgs.project_roles import set_team_role
from apps.projects.models import Project, Repository
from apps.servers.facts import Facts
from apps.servers.models import Server, SSHKey
from tests.browser.scene_notifications import add_notifications
from tests.browser.scene_operations import DEPLOY, PREPARE, SECONDS, STEPS, add_deployment, add_lines, add_operation
from tests.browser.scene_people import add_people_rows
from tests.browser.scene_rights import add_rights
from tests.browser.scene_staff import add_staff_rows
from tests.cast import Cast, make_cast, make_person

__all__ = ["DEPLOY", "FACTS", "SECONDS", "STEPS", "Scene", "add_lines", "add_many", "build_scene", "make_environment"]

FACTS = Facts(
    distribution="debian",
    version="12",
    title="Debian GNU/Linux 12 (bookworm)",
    architecture="x86_64",
    kernel="6.1.0-28-amd64",
    init_system="systemd",
    cpu_count=8,
    memory_megabytes=16384,
    memory_free_megabytes=9100,
    disk_total_megabytes=163840,
    disk_free_megabytes=91200,
    docker_disk_free_megabytes=91200,
    docker_version="27.3.1",
    docker_installed=True,
).as_json()


@dataclass
class Scene:
    """What was built, to find one's way to pages."""

    cast: Cast
    newcomer: User
    organization: Organization
    projects: list[Project] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)
    environments: dict[str, Environment] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    webhook: Webhook | None = None
    delivery: Delivery | None = None


def build_scene() -> Scene:
    """Builds all of it. Needs the database only."""
    cast = make_cast()
    scene = Scene(cast, make_person("Newcomer"), cast.acme)
    _add_servers(scene)
    _add_projects(scene)
    _add_environments(scene)
    _add_deployments(scene)
    _add_operations(scene)
    scene.webhook, scene.delivery = add_notifications(scene.organization, scene.projects[0], cast.alice)
    add_people_rows(cast)
    add_rights(scene)
    add_staff_rows(cast)
    return scene


def _add_servers(scene: Scene) -> None:
    key = SSHKey.objects.create(
        organization=scene.organization,
        name="Platform key",
        public_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlmTDKqQJ5n7S0C2pW1s3fQ0O0b9yq8mE6bW0y1rX2a oecsh",
        fingerprint="SHA256:3w5ZqVw0r0p0yV2Cqf1mR3Qq4u7r8u6p5p0y1b2c3d4",
        generated=True,
    )
    states = (
        ("web-1", "203.0.113.10", Server.Status.READY, ""),
        ("web-2", "203.0.113.11", Server.Status.READY, ""),
        ("staging-host", "203.0.113.20", Server.Status.CONNECTING, ""),
        ("old-box", "198.51.100.7", Server.Status.UNREACHABLE, "No answer on port 22 within 10 seconds."),
        ("customer-umbrella-germany-frankfurt", "198.51.100.8", Server.Status.ERROR, "Docker does not answer."),
        ("fresh", "198.51.100.9", Server.Status.PENDING, ""),
    )
    for number, (name, address, status, reason) in enumerate(states):
        known = status not in (Server.Status.PENDING, Server.Status.CONNECTING)
        scene.servers.append(
            Server.objects.create(
                organization=scene.organization,
                name=name,
                slug=name,
                address=address,
                user="deploy",
                ssh_key=key,
                host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHostKeyOfTheServer0000000000000000000" if known else "",
                host_key_fingerprint="SHA256:1b7Wc0f4mE6pXr5tY8uI0oP2aS4dF6gH8jK0lZ2xC4v" if known else "",
                status=status,
                status_reason=reason,
                facts=FACTS if known else {},
                bootstrapped_at=clock.now() - timedelta(days=30) if known else None,
                last_seen_at=clock.now() - timedelta(minutes=3 + number * 7) if known else None,
            )
        )


def _add_projects(scene: Scene) -> None:
    for name, slug, version in (
        ("Northwind ERP", "northwind-erp", "19.0"),
        ("Contoso Manufacturing", "contoso", "18.0"),
        ("Internal portal", "internal-portal", "14.0"),
    ):
        project = Project.objects.create(
            organization=scene.organization, name=name, slug=slug, odoo_version=version, install_modules=["agency_sale"]
        )
        Repository.objects.create(
            project=project,
            kind="primary",
            name=f"{slug}-addons",
            slug="addons",
            url=f"https://git.example.com/acme/{slug}.git",
            branch="main",
        )
        set_team_role(team=scene.cast.crew, project=project, role="viewer", actor=scene.cast.alice)
        scene.projects.append(project)
    Repository.objects.create(
        project=scene.projects[0],
        kind="module",
        name="OCA web",
        slug="oca-web",
        url="https://git.example.com/oca/web.git",
        branch="19.0",
        branch_map={"development": "19.0-dev"},
    )


def _add_environments(scene: Scene) -> None:
    first, second, third = scene.projects
    rows = (
        ("production", first, EnvironmentType.PRODUCTION, Status.RUNNING, 0, {}),
        ("staging", first, EnvironmentType.STAGING, Status.DEPLOYING, 0, {}),
        ("development", first, EnvironmentType.DEVELOPMENT, Status.RUNNING, 0, {"needs_redeploy": True}),
        ("feature-invoicing", first, EnvironmentType.DEVELOPMENT, Status.PENDING, None, {}),
        ("contoso-production", second, EnvironmentType.PRODUCTION, Status.STOPPED, 1, {}),
        ("contoso-staging", second, EnvironmentType.STAGING, Status.ERROR, 1, {"status_reason": "No answer."}),
        ("contoso-development", second, EnvironmentType.DEVELOPMENT, Status.PAUSED, 1, {}),
        ("contoso-copy", second, EnvironmentType.DEVELOPMENT, Status.CLONING, 1, {}),
        ("portal-old", third, EnvironmentType.STAGING, Status.DESTROYING, 3, {}),
        ("portal-production", third, EnvironmentType.PRODUCTION, Status.RUNNING, 3, {"admin_password_changed": True}),
    )
    for number, (name, project, kind, status, server, more) in enumerate(rows):
        if more.get("needs_redeploy"):
            more = more | {"pending_changes": ["Workers: 2 to 4", "Variable SMTP_HOST was added"]}
        scene.environments[name] = make_environment(
            project, name, kind, status, scene.servers[server] if server is not None else None, number, **more
        )


def make_environment(
    project: Project, name: str, kind: str, status: str, server: Server | None, number: int, **more: object
) -> Environment:
    """An environment as it would stand in the database."""
    return Environment.objects.create(
        project=project,
        server=server,
        name=name.replace("-", " ").capitalize(),
        slug=name,
        environment_type=kind,
        status=status,
        branch={"production": "main", "staging": "staging"}.get(kind, "develop"),
        host_name=f"{project.slug}-{name}.apps.example.com",
        cpu={"production": 4, "staging": 2}.get(kind, 1),
        memory_megabytes={"production": 8192, "staging": 4096}.get(kind, 2048),
        disk_megabytes=20480,
        workers=4 if kind == "production" else 2,
        max_cron_threads=1,
        db_maxconn=16,
        pool_size=20,
        max_connections=120,
        subnet=f"10.96.{number // 16}.{number % 16 * 16}/28" if server else "",
        database_name=f"oecsh_{number}",
        **more,
    )


def _add_operations(scene: Scene) -> None:
    """Operations that are no deployments: on servers."""
    now, alice = clock.now(), scene.cast.alice
    for server, (status, hours) in zip(
        scene.servers, (("completed", 30), ("failed", 4), ("running", 0.01)), strict=False
    ):
        started = now - timedelta(hours=hours)
        title = f"Prepare the server {server.name}"
        scene.operations[status] = add_operation(server, PREPARE, title, alice, status, started)


def _add_deployments(scene: Scene) -> None:
    alice, now = scene.cast.alice, clock.now()
    scene.deployments["completed"] = add_deployment(
        scene.environments["production"], alice, "completed", now - timedelta(hours=5), number=12
    )
    scene.deployments["running"] = add_deployment(
        scene.environments["staging"], scene.cast.bob, "running", now - timedelta(seconds=48), number=3
    )
    scene.deployments["failed"] = add_deployment(
        scene.environments["development"], alice, "failed", now - timedelta(days=2), number=8
    )
    scene.deployments["cancelled"] = add_deployment(
        scene.environments["contoso-staging"], alice, "cancelled", now - timedelta(days=9), number=2
    )


def add_many(scene: Scene, count: int = 200) -> None:
    """As many environments, servers and deployments again: lists must stay readable and fast."""
    production = scene.environments["production"]
    for number in range(1, count + 1):
        moment = clock.now() - timedelta(hours=number)
        add_deployment(production, scene.cast.alice, "completed", moment, number=1000 + number, lines=1)
    key = scene.servers[0].ssh_key
    Server.objects.bulk_create(
        Server(
            organization=scene.organization, name=f"node-{number:03}", slug=f"node-{number:03}", facts=FACTS,
            address=f"203.0.{number // 200 + 100}.{number % 200}", user="root", ssh_key=key, status="ready",
        )
        for number in range(count)
    )  # fmt: skip
    project = scene.projects[1]
    for number in range(count):
        make_environment(project, f"many-{number:03}", "development", Status.RUNNING, scene.servers[1], 100 + number)
