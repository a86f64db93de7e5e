"""Destroyed, brought back, deployed again: the data of the people who used it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.environments.actions import destroy_environment
from apps.environments.models import Environment, Status
from apps.environments.restoring import request_restore
from tests.cast import Cast
from tests.deployments.conftest import Ground, deploy, finish, story
from tests.deployments.odoo import Visitor, query

pytestmark = [pytest.mark.lab, pytest.mark.slow]
ADDRESS = "SELECT value FROM ir_config_parameter WHERE key = 'web.base.url'"


def test_a_destroyed_environment_comes_back_with_its_data(
    cast: Cast, make_environment: Callable[..., Environment], repository: Any, ground: Ground
) -> None:
    environment = make_environment(repository=repository)
    first = deploy(environment, cast.alice)
    assert first.status == "success", story(first.operation)
    query(ground.machine, environment, "INSERT INTO oecsh_demo (name) VALUES ('written by a person')")
    uuid = query(ground.machine, environment, "SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'")
    file = f"/opt/oecsh/envs/{environment.pk}/data/filestore/{environment.database_name}/ab/abc"
    ground.machine.run(["mkdir", "-p", file.rpartition("/")[0]])
    ground.machine.run(["tee", file], stdin="a file of a person")

    finish(destroy_environment(environment=environment, confirmation=environment.name, actor=cast.alice))
    environment.refresh_from_db()
    assert environment.status == Status.DELETED
    assert Visitor(environment).get("/web/login").status_code == 404

    finish(request_restore(environment=environment, actor=cast.alice))
    environment.refresh_from_db()
    assert (environment.status, environment.needs_redeploy) == (Status.STOPPED, True)

    again = deploy(environment, cast.alice)
    assert again.status == "success", story(again.operation)
    assert environment.status == Status.RUNNING
    assert not environment.needs_redeploy
    assert query(ground.machine, environment, "SELECT name FROM oecsh_demo") == ["written by a person"]
    found = query(ground.machine, environment, "SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'")
    assert found == uuid
    assert ground.machine.run(["cat", file]).stdout == "a file of a person"
    visitor = Visitor(environment)
    assert visitor.get("/web/login").status_code == 200
    assert visitor.sign_in(environment, environment.admin_login, environment.admin_password)


def test_under_another_address_odoo_learns_it(
    cast: Cast, make_environment: Callable[..., Environment], repository: Any, ground: Ground
) -> None:
    environment = make_environment(repository=repository)
    first = deploy(environment, cast.alice)
    assert first.status == "success", story(first.operation)
    before = environment.url
    assert query(ground.machine, environment, ADDRESS) == [before] == [environment.base_url]

    finish(destroy_environment(environment=environment, confirmation=environment.name, actor=cast.alice))
    environment.refresh_from_db()
    namesake = make_environment(repository=repository)
    Environment.objects.filter(pk=namesake.pk).update(host_name=environment.host_name)
    operation = finish(request_restore(environment=environment, actor=cast.alice))
    assert f"{environment.host_name} belongs to another environment now" in story(operation)
    environment.refresh_from_db()
    assert environment.url != before

    again = deploy(environment, cast.alice)
    assert again.status == "success", story(again.operation)
    assert query(ground.machine, environment, ADDRESS) == [environment.url] == [environment.base_url]
    assert Visitor(environment).get("/web/login").status_code == 200

    # A worker was lost after it had told the database, and before it noted so.
    Environment.objects.filter(pk=environment.pk).update(base_url=before)
    repeated = deploy(environment, cast.alice)
    assert repeated.status == "success", story(repeated.operation)
    assert f"is {environment.url} now" in story(repeated.operation)
    assert "was set to something else" not in story(repeated.operation)
    assert environment.base_url == environment.url

    # An address that somebody has set by hand stays, whatever ours is.
    query(
        ground.machine, environment, "UPDATE ir_config_parameter SET value = 'https://own' WHERE key = 'web.base.url'"
    )
    Environment.objects.filter(pk=environment.pk).update(base_url=before)
    third = deploy(environment, cast.alice)
    assert third.status == "success", story(third.operation)
    assert query(ground.machine, environment, ADDRESS) == ["https://own"]
    assert environment.base_url == environment.url
