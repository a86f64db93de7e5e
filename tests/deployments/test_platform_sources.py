"""Repositories of the platform in a deployment: fetched, placed, recorded; and what happens where one cannot be had."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from apps.core.exceptions import PLATFORM_STAFF, Problem
from apps.deployments import platform_sources, sources
from apps.deployments.context import mount_name
from apps.deployments.models import SourceSnapshot
from apps.deployments.pipelines.deploy import clone_modules
from apps.deployments.preparing import has_other_repositories
from apps.deployments.releases import mark_applied
from apps.platform.models import PlatformRepository
from apps.projects import git
from apps.projects.models import Repository
from tests.cast import Cast
from tests.deployments.stage import Stage
from tests.factories import make_environment, make_project
from tests.lab.addons import odoo_module
from tests.lost_keys import lose

pytestmark = pytest.mark.lab
FAILED = "deployments.platform_repository_failed"


@pytest.fixture(autouse=True)
def _own_mirrors(tmp_path: Path, settings: Any) -> None:
    settings.RUN_DIRECTORY = tmp_path


@pytest.fixture
def remote(git_server: Any) -> Any:
    """The platform's repository with the module `tools`."""
    return git_server.create(f"tools-{time.time_ns()}", modules={"tools": odoo_module("tools")})


@pytest.fixture
def shared(db: None, remote: Any) -> PlatformRepository:
    return PlatformRepository.objects.create(
        name="Tools", slug="tools", url=remote.url, branch_map={"19.0": "main"}, priority=10
    )


@pytest.fixture
def shop(git_server: Any) -> Any:
    """The project's repository, whose module needs `tools`."""
    modules = {"shop": odoo_module("shop", depends=("base", "tools"))}
    return git_server.create(f"shop-{time.time_ns()}", modules=modules)


@pytest.fixture
def stage(cast: Cast, shop: Any) -> Stage:
    project = make_project(cast.acme)
    Repository.objects.create(project=project, kind="primary", name="Shop", slug="tools", url=shop.url, branch="main")
    return Stage(make_environment(project, branch="main"))


def bring(stage: Stage) -> Stage:
    for position, source in sources.sources_of(stage, primary=True):
        sources.clone(stage, position, source)
    clone_modules(stage)
    return stage


def kinds(stage: Stage) -> list[tuple[str, str]]:
    return [(source["kind"], source["commit"]) for source in stage.sources]


def apply(stage: Stage) -> None:
    mark_applied(stage.release, sources.modules_of(stage))


def test_it_lies_behind_the_projects_own_in_a_folder_for_its_commit(
    stage: Stage, shared: PlatformRepository, remote: Any, shop: Any
) -> None:
    assert has_other_repositories(stage) is True
    bring(stage)
    commit = remote.head()
    assert kinds(stage) == [("primary", shop.head()), ("platform", commit)]
    stored = stage.sources[1]
    assert stored["folder"] == f"/opt/oecsh/platform/tools/{commit}"
    assert (stored["branch"], stored["repository_id"]) == ("main", str(shared.pk))
    assert "tools/__manifest__.py" in stage.folders.trees[stored["folder"]]
    assert [mount_name(source) for source in stage.sources] == ["tools", "platform_tools"]
    assert not stage.run.warnings
    modules = sources.modules_of(stage)
    assert (modules["shop"]["kind"], modules["tools"]["kind"]) == ("primary", "platform")
    snapshot = SourceSnapshot.objects.get(platform_repository=shared)
    assert (snapshot.repository, snapshot.organization, list(snapshot.modules)) == (None, None, ["tools"])


def test_a_second_time_nothing_is_brought(stage: Stage, shared: PlatformRepository) -> None:
    bring(stage)
    before = stage.sources
    stage.folders.fails = AssertionError("brought twice")
    assert bring(stage.again()).sources == before


def test_a_module_of_the_project_counts_before_one_of_the_platform(
    stage: Stage, shared: PlatformRepository, shop: Any
) -> None:
    shop.commit(odoo_module("tools", version="2.0.0"), "Our own tools")
    bring(stage)
    assert sources.modules_of(stage)["tools"]["kind"] == "primary"
    assert sources.modules_of(stage)["tools"]["version"] == "2.0.0"


def test_of_two_the_lower_number_counts(stage: Stage, shared: PlatformRepository, git_server: Any) -> None:
    other = git_server.create(f"first-{time.time_ns()}", modules={"tools": odoo_module("tools", version="3.0.0")})
    first = PlatformRepository.objects.create(
        name="First", slug="zz-first", url=other.url, branch_map={"19.0": "main"}, priority=1
    )
    bring(stage)
    assert [source["repository_id"] for source in stage.sources[1:]] == [str(first.pk), str(shared.pk)]
    assert sources.modules_of(stage)["tools"]["version"] == "3.0.0"


def test_the_token_opens_it_and_stays_here(stage: Stage, shared: PlatformRepository, git_server: Any) -> None:
    private = git_server.create(f"private-{time.time_ns()}", modules={"tools": odoo_module("tools")}, private=True)
    shared.url, shared.token, shared.username = private.url, private.token, "reader"
    shared.save()
    bring(stage)
    assert private.token in stage.run.secrets
    assert private.token not in str(stage.sources) + str(stage.run.data) + str(stage.run.lines)
    mirror = git.mirror_path(sources.sources_of(stage, primary=False)[0][1].git)
    assert private.token not in (mirror / "config").read_text()


def test_a_push_in_the_middle_changes_the_next_deployment(
    stage: Stage, shared: PlatformRepository, remote: Any
) -> None:
    first = remote.head()
    for position, source in sources.sources_of(stage, primary=True):
        sources.clone(stage, position, source)
    stage.folders.fails = Problem("servers.disk_full", path="/opt")
    with pytest.raises(Problem) as caught:
        clone_modules(stage)
    assert caught.value.code == "servers.disk_full"
    remote.commit({"more.txt": "more"}, "More")
    stage.folders.fails = None
    assert kinds(bring(stage.again()))[1] == ("platform", first)
    apply(stage)
    assert kinds(bring(stage.begin()))[1] == ("platform", remote.head())
    assert kinds(bring(stage.begin(reuse=stage.environment.releases.get(number=1))))[1] == ("platform", first)


def break_it(repository: PlatformRepository) -> None:
    repository.url += "-is-not-there"
    repository.save()


def test_what_is_wanted_and_cannot_be_read_fails_and_says_who_can_help(
    stage: Stage, shared: PlatformRepository, cast: Cast, shop: Any
) -> None:
    """Another project has read it before, so what is in it is known."""
    bring(stage)
    other = make_project(cast.acme, "Other")
    Repository.objects.create(project=other, kind="primary", name="Shop", slug="shop", url=shop.url, branch="main")
    break_it(shared)
    second = Stage(make_environment(other, branch="main"))
    with pytest.raises(Problem) as caught:
        bring(second)
    assert (caught.value.code, caught.value.who) == (FAILED, PLATFORM_STAFF)
    assert "Tools" in caught.value.title
    assert "not found" in caught.value.title
    assert "tools" in caught.value.what_to_do
    other.install_modules = ["tools"]
    other.save()
    other.repositories.all().delete()
    with pytest.raises(Problem) as caught:
        bring(second.begin())
    assert caught.value.code == FAILED


def test_what_nobody_wants_is_left_out(stage: Stage, shared: PlatformRepository, shop: Any, remote: Any) -> None:
    shop.commit(odoo_module("shop"), "Without tools")
    break_it(shared)
    bring(stage)
    assert [kind for kind, _ in kinds(stage)] == ["primary"]
    assert "left out" in stage.run.warnings[0]
    assert "Platform staff" in " ".join(stage.run.warnings)
    assert platform_sources.names_left_out(stage) == ["Tools"]
    # Settled once: a worker that goes on does the same, even where the repository is there again.
    shared.url = remote.url
    shared.save()
    assert [kind for kind, _ in kinds(bring(stage.again()))] == ["primary"]
    assert [kind for kind, _ in kinds(bring(stage.begin()))] == ["primary", "platform"]


def test_what_runs_goes_on(stage: Stage, shared: PlatformRepository, remote: Any) -> None:
    first = bring(stage).sources[1]
    apply(stage)
    remote.commit({"tools/__manifest__.py": "{'name': 'Tools'"}, "Not a manifest")
    bring(stage.begin())
    assert kinds(stage)[1] == ("platform", first["commit"])
    assert stage.sources[1]["folder"] == first["folder"]
    assert first["commit"][:12] in " ".join(stage.run.warnings)
    assert "manifest" in stage.run.warnings[0]
    apply(stage)
    break_it(shared)
    assert kinds(bring(stage.begin()))[1] == ("platform", first["commit"])
    assert kinds(bring(stage.again()))[1] == ("platform", first["commit"])


def test_what_runs_and_is_gone_from_the_server_fails(stage: Stage, shared: PlatformRepository) -> None:
    apply(bring(stage))
    stage.folders.trees.clear()
    break_it(shared)
    with pytest.raises(Problem) as caught:
        platform_sources.clone_all(stage.begin())
    assert caught.value.code == FAILED
    assert "not on the server" in caught.value.what_to_do


def test_a_token_that_cannot_be_read_is_the_trouble_of_its_repository_alone(
    stage: Stage, shared: PlatformRepository, shop: Any
) -> None:
    lose(shared, "token")
    with_tools, without = shop.head(), shop.commit(odoo_module("shop"), "Without tools")
    bring(stage)
    assert [kind for kind, _ in kinds(stage)] == ["primary"]
    assert platform_sources.names_left_out(stage) == ["Tools"]
    assert "cannot be decrypted" in stage.run.warnings[0]
    PlatformRepository.objects.filter(pk=shared.pk).update(token="")
    assert without != with_tools
    first = bring(stage.begin()).sources[1]
    apply(stage)
    lose(shared, "token")
    # What runs goes on; what is wanted and was never here fails, and says who can help.
    assert kinds(bring(stage.begin()))[1] == ("platform", first["commit"])
    stage.environment.releases.update(applied_at=None)
    with pytest.raises(Problem) as caught:
        bring(stage.begin(commit=with_tools))
    assert (caught.value.code, caught.value.who) == (FAILED, PLATFORM_STAFF)


def test_a_project_leaves_them_out(stage: Stage, shared: PlatformRepository) -> None:
    stage.environment.project.use_platform_repositories = False
    stage.environment.project.save()
    bring(stage.begin())
    assert [kind for kind, _ in kinds(stage)] == ["primary"]
    assert has_other_repositories(stage) == "There are no further repositories."
