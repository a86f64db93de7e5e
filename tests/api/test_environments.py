"""An environment's life through the API, with its tasks."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.environments.models import Environment, EnvironmentVariable, Status
from apps.operations.models import LogLine, Operation
from tests.api.conftest import make_program
from tests.api.world import make_world
from tests.deployments.rows import make_deployment, make_environment
from tests.deployments.test_queueing import SIXTEEN
from tests.factories import make_environment as make_row
from tests.factories import make_project, make_server


@pytest.fixture
def environment(cast) -> Environment:
    return make_environment(cast.acme)


def test_a_new_environment_is_deployed_at_once(cast, alice):
    project, server = make_project(cast.acme), make_server(cast.acme)
    wanted = {"project_id": str(project.pk), "env_type": "staging", "server_id": str(server.pk), "cpu": 1.5}
    answer = alice.post("/environments", wanted)
    body = answer.json()
    assert answer.status_code == 201, body
    assert (body["env_type"], body["git_branch"], body["cpu"], body["status"]) == ("staging", "main", 1.5, "deploying")
    assert body["created_at"]
    task = alice.get(body["task"]["poll_url"].removeprefix("/api/public/v1")).json()
    assert [step["name"] for step in task["steps"]] == SIXTEEN
    assert task["environment_id"] == body["id"]
    assert task["trigger"] == "manual"


def test_without_a_server_it_waits(cast, alice):
    project = make_project(cast.acme)
    body = alice.post("/environments", {"project_id": str(project.pk), "env_type": "development"}).json()
    assert (body["status"], body["task"]) == ("pending", None)
    refused = alice.post(f"/environments/{body['id']}/deploy")
    assert (refused.status_code, refused.json()["error"]) == (409, "environments.no_server")


def test_a_deployment_by_the_api_shows_its_sixteen_steps(cast, alice, environment):
    answer = alice.post(f"/environments/{environment.pk}/deploy", {})
    started = answer.json()
    assert answer.status_code == 202
    assert started == {
        "task_id": started["task_id"],
        "status": "queued",
        "environment_id": str(environment.pk),
        "poll_url": f"/api/public/v1/tasks/{started['task_id']}",
    }
    task = alice.get(f"/tasks/{started['task_id']}").json()
    assert (task["kind"], task["status"], task["progress"], task["error"]) == ("environment.deploy", "queued", 0, None)
    assert [step["name"] for step in task["steps"]] == SIXTEEN
    assert set(task["steps"][0]) >= {"name", "title", "status", "started_at", "duration", "hint"}
    assert Operation.objects.get(pk=started["task_id"]).trigger == "api"
    again = alice.post(f"/environments/{environment.pk}/deploy")
    assert (again.status_code, again.json()["error"]) == (409, "environments.action_not_allowed")


def test_a_failed_step_shows_its_hint(cast, alice, environment):
    deployment = make_deployment(environment, cast.alice, status="failed", failed_step="validate")
    task = alice.get(f"/tasks/{deployment.operation_id}").json()
    failed = next(step for step in task["steps"] if step["status"] == "failed")
    assert (failed["name"], failed["hint"], task["error"]) == ("validate", "Mend it.", "It broke.")
    listed = alice.get(f"/environments/{environment.pk}/deployments").json()["results"]
    assert [(row["status"], row["task_id"]) for row in listed] == [("failed", str(deployment.operation_id))]
    again = alice.post(f"/deployments/{deployment.pk}/retry")
    assert again.status_code == 202


@pytest.mark.parametrize(("action", "status"), [("stop", "running"), ("start", "stopped"), ("restart", "running")])
def test_control(alice, environment, action, status):
    Environment.objects.filter(pk=environment.pk).update(status=status)
    answer = alice.post(f"/environments/{environment.pk}/{action}")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert Operation.objects.get().kind == f"environment.{action}"


def test_an_action_that_the_state_forbids(alice, environment):
    answer = alice.post(f"/environments/{environment.pk}/pause")
    assert (answer.status_code, answer.json()["error"]) == (409, "environments.action_not_allowed")
    assert Operation.objects.count() == 0


def test_destroying_is_confirmed(alice, environment):
    wrong = alice.post(f"/environments/{environment.pk}/destroy", {"confirmation": "x"})
    assert (wrong.status_code, wrong.json()["error"]) == (422, "environments.confirmation_differs")
    right = alice.post(f"/environments/{environment.pk}/destroy", {"confirmation": environment.name})
    assert right.status_code == 202


def test_settings_and_size(cast, alice, environment):
    Environment.objects.filter(pk=environment.pk).update(status=Status.RUNNING)
    changes = {"git_branch": "develop", "odoo_parameters": {"limit_time_real": "900"}, "memory_megabytes": 4096}
    body = alice.patch(f"/environments/{environment.pk}", changes).json()
    assert (body["git_branch"], body["memory_megabytes"]) == ("develop", 4096)
    assert body["needs_redeploy"] is True
    assert body["task"]["status"] == "queued"


def test_variables(alice, environment):
    base = f"/environments/{environment.pk}/variables"
    assert alice("PUT", f"{base}/COLOUR", {"value": "green"}).json()["value"] == "green"
    secret = alice("PUT", f"{base}/TOKEN", {"value": "very-secret-words", "sensitive": True})
    assert secret.json()["value"] is None
    listed = alice.get(base)
    assert "very-secret-words" not in listed.content.decode()
    assert [row["key"] for row in listed.json()["results"]] == ["COLOUR", "TOKEN"]
    assert alice("PUT", f"{base}/PATH", {"value": "x"}).json()["error"] == "environments.reserved_variable"
    assert alice("PUT", f"{base}/a%00b", {"value": "x"}).status_code == 422
    assert alice.delete(f"{base}/COLOUR").status_code == 204
    assert alice.get(f"{base}/COLOUR").status_code == 404
    assert EnvironmentVariable.objects.count() == 1


def test_the_log_goes_on_after_a_number(cast, alice, environment):
    operation = make_deployment(environment, cast.alice).operation
    step = operation.steps.first()
    for number in range(1, 4):
        LogLine.objects.create(
            operation=operation, step=step, sequence=number, text=f"line {number}", created_at=operation.created_at
        )
    Operation.objects.filter(pk=operation.pk).update(log_sequence=3)
    body = alice.get(f"/tasks/{operation.pk}/logs?after=1").json()
    assert [line["text"] for line in body["lines"]] == ["line 2", "line 3"]
    assert (body["last"], body["more"], body["finished"], body["lines"][0]["step"]) == (3, False, True, step.name)
    assert alice.get(f"/tasks/{operation.pk}/logs?after=x").status_code == 422


def test_cancelling(cast, alice, environment):
    task_id = alice.post(f"/environments/{environment.pk}/deploy").json()["task_id"]
    answer = alice.post(f"/tasks/{task_id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    over = alice.post(f"/tasks/{task_id}/cancel")
    assert (over.status_code, over.json()["error"]) == (409, "operations.not_cancellable")


def test_lists_come_in_pages(cast, alice):
    project = make_project(cast.acme)
    for _ in range(3):
        alice.post("/environments", {"project_id": str(project.pk), "env_type": "development"})
    first = alice.get("/environments?limit=2").json()
    second = alice.get("/environments?limit=2&offset=2").json()
    assert (len(first["results"]), first["limit"], first["offset"], first["has_more"]) == (2, 2, 0, True)
    assert (len(second["results"]), second["has_more"]) == (1, False)
    for bad in ("limit=0", "limit=101", "limit=x", "offset=-1", "offset=99999999999999999999"):
        assert alice.get(f"/environments?{bad}").status_code == 422


@pytest.mark.parametrize(
    "path", ["/environments", "/tasks", "/projects", "/servers", "/members", "/audit", "/api-keys"]
)
def test_a_list_asks_as_often_whatever_its_length(cast, alice, path, django_assert_max_num_queries):

    def count() -> int:
        alice.get(path)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert alice.get(path).status_code == 200
        return len(asked)

    make_deployment(make_environment(cast.acme), cast.alice)
    few = count()
    project, server = make_project(cast.acme, "Another"), make_server(cast.acme)
    for _ in range(4):
        make_deployment(make_row(project, server=server), cast.alice)
        make_program(cast.acme, cast.anna)
    assert count() == few


FOREIGN = [
    ("POST", "/environments", {"project_id": "project", "env_type": "staging"}, 404),
    ("POST", "/environments", {"project_id": "own", "env_type": "staging", "server_id": "server"}, 422),
    ("POST", "/projects", {"name": "x", "odoo_version": "19.0", "credential_id": "credential"}, 422),
    ("POST", "/projects", {"name": "x", "odoo_version": "19.0", "registry_account_id": "account"}, 422),
    ("POST", "/api-keys", {"name": "x", "project_id": "project"}, 422),
    ("POST", "/servers", {"name": "x", "address": "203.0.113.5", "ssh_key_id": "ssh_key"}, 422),
    ("GET", "/environments?project_id={project}", None, 422),
    ("GET", "/tasks?environment_id={environment}", None, 422),
]


@pytest.mark.parametrize(("method", "path", "body", "expected"), FOREIGN)
def test_ids_of_another_organization_are_as_unknown_as_missing_ones(cast, alice, method, path, body, expected):
    theirs = make_world(cast, cast.umbrella, cast.charlie).ids
    ids = {name.removesuffix("_id"): value for name, value in theirs.items()} | {
        "own": str(make_project(cast.acme, "Own").pk)
    }
    missing = dict.fromkeys(ids, "00000000-0000-4000-8000-000000000000") | {"own": ids["own"]}
    answers = []
    for known in (ids, missing):
        sent = {name: known.get(value, value) for name, value in body.items()} if body else None
        answers.append(alice(method, path.format(**known), sent))
    assert [answer.status_code for answer in answers] == [expected, expected]
    assert answers[0].json() == answers[1].json()
