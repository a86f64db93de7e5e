"""A platform with many tenants, as rows: 1,000 organizations, 1,000 servers, 10,000 environments, 50,000 deployments
with their operations, steps and log lines. A tenth of it all belongs to Acme, whose pages are looked at."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.db import connection, models

from apps.accounts.models import User
from apps.audit.models import Event
from apps.core import clock
from apps.deployments.models import Deployment
from apps.environments.models import Environment, Status
from apps.operations.models import LogLine, Operation, OperationStep
from apps.orgs.grants import copy_memberships
from apps.orgs.models import Membership, Organization
from apps.orgs.roles import Role
from apps.projects.models import Project
from apps.servers.models import Server, SSHKey
from tests.browser.scene import DEPLOY, FACTS, SECONDS, Scene
from tests.cast import make_person

ORGANIZATIONS, SERVERS, ENVIRONMENTS, DEPLOYMENTS = 1_000, 1_000, 10_000, 50_000
ACMES_SERVERS, ACMES_PROJECTS, ACMES_ENVIRONMENTS = 100, 50, 1_000
# The history of the one environment whose pages are looked at, and the environments beside it in its project.
LONG_HISTORY, NEIGHBOURS = 500, 100
LINES_PER_OPERATION = 10
BATCH = 2_000
_numbers = itertools.count(1)


def fill(scene: Scene) -> None:
    """Adds the rows around those of a scene."""
    organizations = _add_organizations(scene)
    servers = _add_servers(scene, organizations)
    projects = _add_projects(scene, organizations)
    environments = _add_environments(scene, projects, servers)
    _add_deployments(scene, environments)
    _multiply_steps_and_lines(scene.deployments["completed"].operation)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def counts() -> dict[str, int]:
    """How many rows there are of what is counted in the goal."""
    counted = (Organization, Server, Environment, Deployment, OperationStep, LogLine, Event)
    return {model._meta.verbose_name_plural: model.objects.count() for model in counted}


def _create(rows: Any) -> list[Any]:
    found = list(rows)
    type(found[0]).objects.bulk_create(found, batch_size=BATCH)
    return found


def _add_organizations(scene: Scene) -> list[Organization]:
    owner: User = make_person("Octavia")
    missing = ORGANIZATIONS - Organization.objects.count()
    found = _create(Organization(name=f"Company {n:04}", slug=f"company-{n:04}") for n in range(missing))
    copy_memberships(
        _create(Membership(organization=organization, user=owner, role=Role.OWNER) for organization in found)
    )
    return found


def _add_servers(scene: Scene, organizations: list[Organization]) -> dict[Any, list[Server]]:
    """By organization. Acme has a tenth, the others one each as far as they go."""
    owners = [scene.organization] * (ACMES_SERVERS - len(scene.servers))
    owners += organizations[: SERVERS - ACMES_SERVERS]
    keys = {
        key.organization_id: key
        for key in _create(
            SSHKey(organization=owner, name="Benchmark", public_key="ssh-ed25519 A", private_key="none")
            for owner in [scene.organization, *organizations]
        )
    }
    rows = _create(
        Server(
            organization=owner, name=f"node-{n:04}", slug=f"node-{n:04}", address=f"10.{n // 250}.0.{n % 250}",
            ssh_key=keys[owner.pk], status=Server.Status.READY, facts=FACTS, last_seen_at=clock.now(),
        )
        for n, owner in enumerate(owners)
    )  # fmt: skip
    found: dict[Any, list[Server]] = {}
    for server in rows:
        found.setdefault(server.organization_id, []).append(server)
    return found


def _add_projects(scene: Scene, organizations: list[Organization]) -> list[Project]:
    owners = [scene.organization] * (ACMES_PROJECTS - len(scene.projects)) + organizations
    return _create(
        Project(organization=owner, name=f"Project {n:04}", slug=f"project-{n:04}", odoo_version="19.0")
        for n, owner in enumerate(owners)
    )


def _add_environments(scene: Scene, projects: list[Project], servers: dict[Any, list[Server]]) -> list[Environment]:
    acmes = [project for project in projects if project.organization_id == scene.organization.pk]
    others = [project for project in projects if project.organization_id != scene.organization.pk]
    wanted = [scene.projects[0]] * NEIGHBOURS
    wanted += itertools.islice(itertools.cycle(acmes), ACMES_ENVIRONMENTS - NEIGHBOURS - len(scene.environments))
    wanted += itertools.islice(itertools.cycle(others), ENVIRONMENTS - ACMES_ENVIRONMENTS)
    rows = (_environment(n, project, servers.get(project.organization_id)) for n, project in enumerate(wanted))
    return _create(rows)


def _environment(number: int, project: Project, servers: list[Server] | None) -> Environment:
    server = servers[number % len(servers)] if servers else None
    kind = ("development", "staging", "production")[number % 3]
    return Environment(
        project=project, server=server, name=f"Environment {number:05}", slug=f"environment-{number:05}",
        environment_type=kind, status=Status.RUNNING if server else Status.PENDING, branch="main",
        host_name=f"environment-{number:05}.apps.example.com", cpu=1, memory_megabytes=2048, disk_megabytes=10240,
        workers=2, max_cron_threads=1, db_maxconn=8, pool_size=32, max_connections=100,
        subnet=f"10.{100 + number // 4096}.{number // 16 % 256}.{number % 16 * 16}/28" if server else "",
        database_name=f"environment_{number}",
        database_password="secret", master_password="secret", admin_password="secret",
    )  # fmt: skip


def _add_deployments(scene: Scene, environments: list[Environment]) -> None:
    watched = [scene.environments["production"]] * LONG_HISTORY
    rest = DEPLOYMENTS - LONG_HISTORY - len(scene.deployments)
    subjects = watched + list(itertools.islice(itertools.cycle(environments), rest))
    now, numbers = clock.now(), itertools.count(1_000)
    operations = _create(
        _operation(environment, scene.cast.alice, now - timedelta(minutes=10 + minutes))
        for minutes, environment in enumerate(subjects)
    )
    _create(
        Deployment(
            environment=environment, number=next(numbers), operation=operation, triggered_by=scene.cast.alice,
            branch="main", commit=f"{next(_numbers):040x}", commit_subject="Another small improvement",
        )
        for environment, operation in zip(subjects, operations, strict=True)
    )  # fmt: skip
    _create(
        Event(
            action="deployment.requested", actor_id=scene.cast.alice.pk, actor_name="Alice",
            organization_id=operation.organization_id, target_type="environments.environment",
            target_id=operation.subject_id, target_name=operation.title, created_at=operation.queued_at,
        )
        for operation in operations
    )  # fmt: skip
    for model, column in ((Operation, "queued_at"), (Deployment, "operation__queued_at")):
        model.objects.filter(pk__in=model.objects.values("pk")).update(
            created_at=models.Subquery(model.objects.filter(pk=models.OuterRef("pk")).values(column)[:1])
        )


def _operation(environment: Environment, person: User, started: Any) -> Operation:
    return Operation(
        kind=DEPLOY, title=f"Deploy {environment.name}", subject_type=environment._meta.label_lower,
        subject_id=environment.pk, organization_id=environment.project.organization_id,
        lock_key=environment.lock_key, status="completed", outcome="completed", created_by=person,
        queued_at=started, started_at=started, finished_at=started + timedelta(seconds=sum(SECONDS)), version=20,
        log_sequence=LINES_PER_OPERATION,
    )  # fmt: skip


def _multiply_steps_and_lines(template: Operation) -> None:
    """The sixteen steps and the first lines of one operation, once more for each that has none."""
    _multiply(OperationStep, template, {"id": "gen_random_uuid()"}, "")
    _multiply(LogLine, template, {"step_id": "NULL"}, f"AND template.sequence <= {LINES_PER_OPERATION}")


def _multiply(model: type[models.Model], template: Operation, replaced: dict[str, str], condition: str) -> None:
    table, operations = model._meta.db_table, Operation._meta.db_table
    replaced = replaced | {"operation_id": "operation.id"}
    columns = [field.column for field in model._meta.concrete_fields if field.column != "id" or "id" in replaced]
    values = ", ".join(replaced.get(column, f'template."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    statement = f"""INSERT INTO {table} ({names}) SELECT {values} FROM {table} template, {operations} operation
        WHERE template.operation_id = %s {condition}
        AND NOT EXISTS (SELECT FROM {table} own WHERE own.operation_id = operation.id)"""  # noqa: S608 (our own names)
    with connection.cursor() as cursor:
        cursor.execute(statement, [template.pk])
