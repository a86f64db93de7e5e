"""Lists and the general stream show what could be opened one by one, and no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.api import keys
from apps.api.resources import events
from apps.core import clock
from apps.environments.models import Environment
from apps.operations.models import Operation
from apps.orgs import overrides
from apps.orgs.models import PermissionOverride
from tests.api.conftest import Program, make_program
from tests.deployments.rows import make_deployment
from tests.factories import make_environment, make_project, make_server

ENVIRONMENTS, DEPLOYMENTS = "project.environments.view", "project.deployments.view"


def take(cast: Any, code: str, project: Any = None) -> None:
    """Vera has it no more (on the project)."""
    effect = PermissionOverride.Effect.DENY
    overrides.set_override(
        organization=cast.acme,
        user=cast.vera,
        code=code,
        effect=effect,
        project_id=project.pk if project else None,
        actor=cast.alice,
    )


@pytest.fixture
def two(cast) -> list[Environment]:
    """Two projects with a deployed environment each."""
    made = []
    for name in ("Open", "Closed"):
        environment = make_environment(make_project(cast.acme, name), server=make_server(cast.acme))
        make_deployment(environment, cast.alice, status="failed", failed_step="validate")
        made.append(environment)
    return made


def listed(program: Program, path: str, name: str) -> list[str]:
    answer = program.get(path)
    assert answer.status_code == 200, answer.content
    return sorted(row[name] for row in answer.json()["results"])


def told(program: Program, name: str) -> int:
    """How many such events the general stream tells at its first look."""
    found = events.OrganizationNews("")(keys.reopen_key(program.key))
    return len([event for event in found if event.name == name])


def ids(*rows: Any) -> list[str]:
    return sorted(str(row.pk) for row in rows)


def test_whoever_may_read_everything_reads_it(cast, two):
    veras = make_program(cast.acme, cast.vera)
    assert listed(veras, "/environments", "id") == ids(*two)
    assert len(listed(veras, "/tasks", "task_id")) == 2
    assert (told(veras, "environment"), told(veras, "task")) == (2, 2)


@pytest.mark.parametrize("everywhere", [True, False])
def test_environments_without_the_right_are_left_out(cast, two, everywhere):
    opened, closed = two
    take(cast, ENVIRONMENTS, None if everywhere else closed.project)
    veras = make_program(cast.acme, cast.vera)
    left = [] if everywhere else [opened]
    assert listed(veras, "/environments", "id") == ids(*left)
    assert veras.get(f"/environments/{closed.pk}").status_code == 403
    assert told(veras, "environment") == len(left)


@pytest.mark.parametrize("everywhere", [True, False])
def test_tasks_without_the_right_are_left_out(cast, two, everywhere):
    opened, closed = two
    take(cast, DEPLOYMENTS, None if everywhere else closed.project)
    Operation.objects.create(
        kind="servers.bootstrap",
        title="Bootstrap",
        subject_type="servers.server",
        subject_id=opened.server_id,
        organization=cast.acme,
        lock_key="server",
        queued_at=clock.now(),
    )
    veras = make_program(cast.acme, cast.vera)
    left = [] if everywhere else [str(Operation.objects.about(opened).get().pk)]
    others = [str(Operation.objects.get(kind="servers.bootstrap").pk)]
    assert listed(veras, "/tasks", "task_id") == sorted(left + others)
    assert veras.get(f"/tasks/{Operation.objects.about(closed).get().pk}").status_code == 403
    assert told(veras, "task") == len(left) + 1


def test_more_projects_ask_the_database_no_more(cast, two):
    take(cast, ENVIRONMENTS, two[1].project)
    veras = make_program(cast.acme, cast.vera)
    veras.get("/environments")

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            veras.get("/environments")
        return len(queries)

    before = count()
    for number in range(5):
        make_environment(make_project(cast.acme, f"Another {number}"))
    assert count() == before


def test_the_stream_asks_again_for_the_right_to_the_organization(cast, two):
    veras = make_program(cast.acme, cast.vera)
    look = events.OrganizationNews("")
    look(keys.reopen_key(veras.key))
    take(cast, "org.view")
    with pytest.raises(PermissionDenied):
        look(keys.reopen_key(veras.key))


def test_many_changes_at_one_moment_are_all_told(cast):
    """More than fit into one look, in both lists: nothing is lost, nothing is told twice, and the stream goes on."""
    project = make_project(cast.acme)
    rows = [make_environment(project, name=f"Number {number}") for number in range(8)]
    deployed = make_environment(make_project(cast.acme, "Deployed"), server=make_server(cast.acme))
    make_deployment(deployed, cast.alice, status="running")
    now = clock.now()
    Environment.objects.update(updated_at=now - timedelta(seconds=1))
    Operation.objects.update(updated_at=now)
    alices = make_program(cast.acme, cast.alice)
    look = events.OrganizationNews("", most=3)
    found = [event for _ in range(6) for event in look(keys.reopen_key(alices.key))]
    environments = [event.data["id"] for event in found if event.name == "environment"]
    assert sorted(environments) == ids(*rows, deployed)
    assert [event.name for event in found].count("task") == 1
    Environment.objects.filter(pk=rows[0].pk).update(name="New", updated_at=clock.now())
    again = look(keys.reopen_key(alices.key))
    assert [event.data["name"] for event in again] == ["New"]
