"""A module of the project needs one of the platform: deployed on a real server, updated, and kept when it is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from apps.deployments.models import Deployment
from apps.environments.models import Environment
from apps.operations.models import LogLine
from apps.platform.models import PlatformRepository
from tests.cast import Cast
from tests.deployments.conftest import Ground, deploy, statuses, story
from tests.deployments.odoo import Visitor, inspect, query
from tests.lab.addons import odoo_module

pytestmark = [pytest.mark.lab, pytest.mark.slow]
STATES = "SELECT name || ' ' || state FROM ir_module_module WHERE name IN ('shop', 'tools', 'spare') ORDER BY 1"
COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'tools' AND column_name = 'extra'"
MODEL = "tools/models/note.py"


@pytest.fixture
def remote(git_server: Any) -> Any:
    modules = {name: odoo_module(name) for name in ("tools", "spare")}
    return git_server.create(f"platform-{time.time_ns()}", modules=modules, private=True)


@pytest.fixture
def shared(remote: Any) -> PlatformRepository:
    return PlatformRepository(
        name="Tools", slug="tools", url=remote.url, token=remote.token, branch_map={"19.0": "main"}
    )


def lines_of(deployment: Deployment) -> str:
    return "\n".join(LogLine.objects.filter(operation=deployment.operation).values_list("text", flat=True))


def succeed(environment: Environment, user: Any) -> Deployment:
    deployment = deploy(environment, user)
    assert deployment.status == "success", story(deployment.operation)
    return deployment


def test_a_dependency_in_a_repository_of_the_platform(
    cast: Cast,
    make_environment: Callable[..., Environment],
    git_server: Any,
    remote: Any,
    shared: PlatformRepository,
    ground: Ground,
) -> None:
    shared.save()
    shop = git_server.create(f"shop-{time.time_ns()}", modules={"shop": odoo_module("shop", depends=("base", "tools"))})
    environment = make_environment(repository=shop)
    first = succeed(environment, cast.alice)
    assert query(ground.machine, environment, STATES) == ["shop installed", "spare uninstalled", "tools installed"]
    assert [source["kind"] for source in first.release.sources] == ["primary", "platform"]
    check_host(ground, environment, remote)
    assert remote.token not in lines_of(first)

    # The next one like it starts from what was kept.
    second = make_environment(repository=shop)
    seeded = succeed(second, cast.alice)
    assert seeded.seeded
    assert statuses(seeded)["install_addons"] == "skipped"
    assert query(ground.machine, second, STATES) == ["shop installed", "spare uninstalled", "tools installed"]

    # Its content changes: updated where it runs, and another seed.
    remote.commit({MODEL: odoo_module("tools")[MODEL] + "    extra = fields.Char()\n"}, "Another field")
    updated = succeed(environment, cast.bob)
    assert statuses(updated)["install_addons"] == "completed"
    assert query(ground.machine, environment, COLUMNS) == ["extra"]
    third = make_environment(repository=shop)
    assert statuses(succeed(third, cast.alice))["install_addons"] == "completed"
    assert query(ground.machine, third, COLUMNS) == ["extra"]

    # Away: what runs goes on, with a word about who can help.
    remote.remove()
    shared.url += "-away"
    shared.save()
    kept = succeed(environment, cast.bob)
    assert "Platform staff can mend it" in lines_of(kept)
    assert kept.release.sources[1]["commit"] == updated.release.sources[1]["commit"]
    assert Visitor(environment).get("/web/login").status_code == 200
    failed = deploy(make_environment(repository=shop), cast.bob)
    assert failed.operation.error_code == "deployments.platform_repository_failed", story(failed.operation)
    assert (failed.failed_step.name, failed.failed_step.who) == ("clone_modules", "platform staff")


def check_host(ground: Ground, environment: Environment, remote: Any) -> None:
    """In a folder for its commit, root's, read-only for Odoo, behind the project's own; its token is nowhere."""
    folder = f"/opt/oecsh/platform/tools/{remote.head()}"
    assert ground.machine.run(["stat", "-c", "%U", folder]).stdout.strip() == "root"
    mounts = {mount["Destination"]: mount for mount in inspect(ground.machine, environment, "odoo")["Mounts"]}
    assert mounts["/mnt/addons/platform_tools"]["Source"] == folder
    assert not mounts["/mnt/addons/platform_tools"]["RW"]
    found = ground.machine.run(["sh", "-c", f"cat /opt/oecsh/envs/{environment.pk}/config/odoo-*/odoo.conf"]).stdout
    path = next(line for line in found.splitlines() if line.startswith("addons_path"))
    assert path.index("/mnt/addons/shop") < path.index("/mnt/addons/platform_tools") < path.index("/mnt/oecsh")
    everywhere = ["grep", "-rlF", remote.token, "/opt/oecsh/platform/tools", f"/opt/oecsh/envs/{environment.pk}/config"]
    assert ground.machine.run(everywhere, check=False).stdout == ""
