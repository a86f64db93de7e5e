"""A deployment over an environment in use: what changed is applied, what fails leaves everything as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.deployments.models import Deployment
from apps.environments.models import Environment, EnvironmentVariable, Status
from apps.operations.models import LogLine
from tests.cast import Cast
from tests.deployments.conftest import Ground, deploy, statuses, story
from tests.deployments.odoo import Visitor, inspect, query
from tests.lab.addons import module_with_broken_view, odoo_module

pytestmark = [pytest.mark.lab, pytest.mark.slow]
MODEL = "oecsh_demo/models/note.py"
COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'oecsh_demo' AND column_name = 'extra'"


@pytest.fixture
def environment(cast: Cast, make_environment: Callable[..., Environment], repository: Any) -> Environment:
    """One that runs with a small module, and with a note that a person wrote."""
    made = make_environment(repository=repository)
    deployment = deploy(made, cast.alice)
    assert deployment.status == "success", story(deployment.operation)
    return made


def write_note(ground: Ground, environment: Environment) -> None:
    query(ground.machine, environment, "INSERT INTO oecsh_demo (name) VALUES ('written by a person')")


def notes(ground: Ground, environment: Environment) -> list[str]:
    return query(ground.machine, environment, "SELECT name FROM oecsh_demo")


def databases(ground: Ground, environment: Environment) -> list[str]:
    names = query(ground.machine, environment, "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1")
    return [name for name in names if name != "postgres"]


def lines_of(deployment: Deployment) -> str:
    return "\n".join(LogLine.objects.filter(operation=deployment.operation).values_list("text", flat=True))


def test_a_changed_module_is_updated_and_what_did_not_change_is_left_alone(
    cast: Cast, environment: Environment, repository: Any, ground: Ground
) -> None:
    write_note(ground, environment)
    before = inspect(ground.machine, environment, "odoo")["Id"]
    deployment = deploy(environment, cast.bob)
    assert deployment.status == "success", story(deployment.operation)
    assert statuses(deployment)["create_container"] == "skipped"
    assert inspect(ground.machine, environment, "odoo")["Id"] == before

    changed = odoo_module()[MODEL] + "    extra = fields.Char()\n"
    commit = repository.commit({MODEL: changed}, "Another field")
    deployment = deploy(environment, cast.bob)
    assert deployment.status == "success", story(deployment.operation)
    assert (deployment.commit, deployment.commit_subject) == (commit, "Another field")
    assert query(ground.machine, environment, COLUMNS) == ["extra"]
    assert notes(ground, environment) == ["written by a person"]
    assert databases(ground, environment) == [environment.database_name]
    assert inspect(ground.machine, environment, "odoo")["Id"] != before
    assert Visitor(environment).get("/web/login").status_code == 200
    for name in ("create_database", "deploy_pgbouncer", "install_base"):
        assert statuses(deployment)[name] == "skipped"


def test_what_fails_leaves_everything_as_it_was(
    cast: Cast, environment: Environment, repository: Any, ground: Ground
) -> None:
    """Code that does not parse, a dependency that is nowhere, a view that its model does not fit."""
    write_note(ground, environment)
    before = inspect(ground.machine, environment, "odoo")["Id"]
    broken = {MODEL: odoo_module()[MODEL] + "\n    def wrong(self:\n"}
    lonely = {"oecsh_demo/__manifest__.py": odoo_module(depends=("base", "nowhere"))["oecsh_demo/__manifest__.py"]}
    blind = module_with_broken_view("oecsh_demo")
    for files, code, words in (
        (broken, "deployments.module_does_not_load", "SyntaxError"),
        (odoo_module() | lonely, "deployments.module_unknown_dependency", "nowhere"),
        (blind, "deployments.update_failed", "no_such_field"),
    ):
        repository.commit(files, code)
        deployment = deploy(environment, cast.bob)
        operation = deployment.operation
        assert (deployment.status, operation.error_code) == ("failed", code), story(operation)
        assert words in lines_of(deployment) + operation.error
        assert deployment.failed_step.name == "install_addons"
        assert deployment.failed_step.hint
        assert not operation.needs_attention
        assert environment.status == Status.RUNNING
        assert "failed" in environment.status_reason
        found = inspect(ground.machine, environment, "odoo")
        assert (found["Id"], found["State"]["Status"]) == (before, "running")
        assert notes(ground, environment) == ["written by a person"]
        assert databases(ground, environment) == [environment.database_name]
    assert Visitor(environment).get("/web/login").status_code == 200


def test_a_variable_is_applied_without_a_failed_request(cast: Cast, environment: Environment, ground: Ground) -> None:
    """Code and database stay: the old Odoo serves until the new one answers."""
    from tests.deployments.traffic import Traffic

    EnvironmentVariable.objects.create(environment=environment, key="GREETING", value="hello", sensitive=True)
    with Traffic(environment, "/web/login", every=0.1) as traffic:
        deployment = deploy(environment, cast.bob)
    assert deployment.status == "success", story(deployment.operation)
    assert "GREETING=hello" in inspect(ground.machine, environment, "odoo")["Config"]["Env"]
    assert statuses(deployment)["install_addons"] == "skipped"
    assert traffic.asked > 10
    assert traffic.failures == []
    assert "hello" not in lines_of(deployment)
