"""Two hundred of everything in Acme, beside the rows of a scene: what lists look like, and cost, once they are long."""

from __future__ import annotations

from datetime import timedelta

from apps.api.models import ApiKey
from apps.audit.models import Event as AuditEvent
from apps.core import clock
from apps.deployments.models import Deployment
from apps.environments.models import Environment, Status
from apps.notifications.models import Event, Notice
from apps.operations.models import Operation
from apps.orgs.grants import copy_memberships
from apps.orgs.models import Membership
from apps.orgs.roles import Role
from apps.orgs.teams import create_team
from apps.projects.models import Project
from apps.servers.models import Server
from tests.browser.scene import DEPLOY, FACTS, Scene
from tests.cast import make_person

MANY = 200
# Lists with pages: a few more than one of them.
SOME = 60


def add_crowd(scene: Scene) -> None:
    """Adds the rows."""
    _add_people(scene)
    server = scene.servers[0]
    Server.objects.bulk_create(
        Server(
            organization=scene.organization, name=f"node-{n:03}", slug=f"node-{n:03}", address=f"10.7.0.{n}",
            ssh_key=server.ssh_key, status=Server.Status.READY, facts=FACTS, last_seen_at=clock.now(),
        )
        for n in range(MANY)
    )  # fmt: skip
    Project.objects.bulk_create(
        Project(organization=scene.organization, name=f"Project {n:03}", slug=f"project-{n:03}", odoo_version="19.0")
        for n in range(MANY)
    )
    Environment.objects.bulk_create(_environment(scene, n) for n in range(MANY))
    _add_history(scene)


def _add_people(scene: Scene) -> None:
    people = [make_person(f"Person{n:03}") for n in range(MANY)]
    rows = [Membership(organization=scene.organization, user=person, role=Role.VIEWER) for person in people]
    copy_memberships(Membership.objects.bulk_create(rows))
    for n in range(SOME):
        create_team(organization=scene.organization, name=f"Team {n:03}", actor=scene.cast.alice)
    ApiKey.objects.bulk_create(
        ApiKey(organization=scene.organization, created_by=scene.cast.alice, name=f"Key {n:03}", digest=f"{n:064x}")
        for n in range(SOME)
    )


def _environment(scene: Scene, number: int) -> Environment:
    return Environment(
        project=scene.projects[0], server=scene.servers[0], name=f"Environment {number:03}", slug=f"many-{number:03}",
        environment_type=("development", "staging", "production")[number % 3], status=Status.RUNNING, branch="main",
        host_name=f"many-{number:03}.apps.example.com", cpu=1, memory_megabytes=2048, disk_megabytes=10240, workers=2,
        max_cron_threads=1, db_maxconn=8, pool_size=32, max_connections=100, database_name=f"many_{number}",
        subnet=f"10.200.{number // 16}.{number % 16 * 16}/28",
    )  # fmt: skip


def _add_history(scene: Scene) -> None:
    environment, alice, now = scene.environments["production"], scene.cast.alice, clock.now()
    operations = Operation.objects.bulk_create(
        Operation(
            kind=DEPLOY, title=f"Deploy number {n}", subject_type=environment._meta.label_lower,
            subject_id=environment.pk, organization=scene.organization, lock_key=environment.lock_key,
            status="completed", outcome="completed", created_by=alice, started_at=now - timedelta(minutes=n + 2),
            finished_at=now - timedelta(minutes=n + 1), project_id=environment.project_id,
        )
        for n in range(MANY)
    )  # fmt: skip
    Deployment.objects.bulk_create(
        Deployment(environment=environment, number=1000 + n, operation=one, triggered_by=alice, commit=f"{n:040x}")
        for n, one in enumerate(operations)
    )
    AuditEvent.objects.bulk_create(
        AuditEvent(
            created_at=now, action="environment.created", actor_id=alice.pk, actor_name="Alice",
            organization_id=scene.organization.pk, target_type="environments.environment", target_id=environment.pk,
            target_name=f"Environment {n:03}", after={"name": f"Environment {n:03}", "cpu": "1.00"},
        )
        for n in range(MANY)
    )  # fmt: skip
    events = Event.objects.bulk_create(
        Event(
            organization=scene.organization, project=environment.project, kind="deploy.completed", key=f"crowd:{n}",
            title=f"Deployment {1000 + n} of Production went well", path="/", payload={}, happened_at=now,
            dispatched_at=now,
        )
        for n in range(MANY)
    )  # fmt: skip
    Notice.objects.bulk_create(Notice(user=alice, event=event) for event in events)
