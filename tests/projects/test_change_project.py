"""Changing and deleting projects, repositories and credentials."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from apps.audit.models import Event
from apps.core.exceptions import Conflict, Problem
from apps.core.masking import MASK
from apps.environments.models import Environment
from apps.projects import credentials, git
from apps.projects.git_access import Access, Remote
from apps.projects.git_process import explain
from apps.projects.models import GitCredential, Project, RegistryAccount, Repository
from apps.projects.services import add_repository, delete_project, update_project, update_repository
from tests.factories import make_environment


@pytest.fixture
def repository(cast, project):
    return add_repository(
        project=project, kind="module", url="https://example.com/oca/sale.git", branch="19.0", actor=cast.alice
    )


def test_settings_are_saved_and_recorded(cast, sign_in, project):
    running = make_environment(project, status="running")
    values = {
        "name": "Shop 2",
        "odoo_version": "19.0",
        "default_branch": "stable",
        "install_modules": "sale, stock\npurchase",
        "image": "ghcr.io/acme/odoo:19.0",
    }
    response = sign_in(cast.alice).post(reverse("projects:settings", args=["acme", "shop"]), values)
    assert response.status_code == 302
    project.refresh_from_db()
    assert (project.name, project.slug, project.image) == ("Shop 2", "shop", "ghcr.io/acme/odoo:19.0")
    assert project.install_modules == ["sale", "stock", "purchase"]
    assert Event.objects.get(action="project.updated").after["name"] == "Shop 2"
    running.refresh_from_db()
    assert running.needs_redeploy


@pytest.mark.parametrize(
    "values",
    [
        {"image": "--privileged"},
        {"image": "a b"},
        {"image": "odoo;id"},
        {"image": "$(id)"},
        {"image": "odoo\n19"},
        {"image": "../odoo"},
        {"install_modules": "sale;id"},
        {"install_modules": "--init"},
        {"install_modules": "sale sale"},
        {"default_branch": "--x"},
        {"odoo_version": "13.0"},
    ],
    ids=str,
)
def test_bad_settings_are_refused(cast, sign_in, project, values):
    good = {"name": "Shop", "odoo_version": "19.0", "default_branch": "main"}
    response = sign_in(cast.alice).post(reverse("projects:settings", args=["acme", "shop"]), good | values)
    assert response.status_code == 422


def test_a_developer_may_not(cast, sign_in, project):
    assert sign_in(cast.bob).post(reverse("projects:settings", args=["acme", "shop"]), {}).status_code == 403


def test_the_version_is_fixed_once_there_are_environments(cast, project):
    update_project(project=project, actor=cast.alice, odoo_version="18.0")
    make_environment(project)
    with pytest.raises(Conflict) as caught:
        update_project(project=project, actor=cast.alice, odoo_version="19.0")
    assert caught.value.code == "projects.version_is_fixed"


def test_an_account_of_others_is_refused(cast, project):
    theirs = RegistryAccount.objects.create(
        organization=cast.umbrella, name="X", kind="other", host="example.com", username="x", password="s3cret"
    )
    with pytest.raises(ValidationError):
        update_project(project=project, actor=cast.alice, registry_account=theirs)


@pytest.mark.parametrize(
    ("image", "host", "fits"),
    [
        ("registry.example.com/team/odoo:1", "registry.example.com", True),
        ("registry.example.com:5000/odoo", "registry.example.com:5000", True),
        ("registry.example.com:5000/odoo", "registry.example.com", False),
        ("evil.example.net/team/odoo:1", "registry.example.com", False),
        ("team/odoo:1", "docker.io", True),
        ("team/odoo:1", "registry.example.com", False),
        ("docker.io/team/odoo", "index.docker.io", True),
    ],
)
def test_an_account_is_for_its_own_registry(cast, project, image, host, fits):
    account = RegistryAccount.objects.create(
        organization=cast.acme, name="R", kind="other", host=host, username="x", password="s3cret"
    )
    if fits:
        update_project(project=project, actor=cast.alice, image=image, registry_account=account)
        return
    with pytest.raises(ValidationError):
        update_project(project=project, actor=cast.alice, image=image, registry_account=account)
    project.refresh_from_db()
    assert project.image == ""


class TestDeleting:
    def test_with_its_short_name(self, cast, sign_in, project, repository):
        mirror = git.mirror_path(repository)
        mirror.mkdir(parents=True)
        url = reverse("projects:delete", args=["acme", "shop"])
        client = sign_in(cast.alice)
        assert client.post(url, {"confirm_name": "shop"}).status_code == 302
        assert not Project.objects.exists()
        assert client.post(url, {"confirm_name": "shop"}).status_code == 404

    def test_with_another_name(self, cast, sign_in, project):
        url = reverse("projects:delete", args=["acme", "shop"])
        assert sign_in(cast.alice).post(url, {"confirm_name": "Shop"}).status_code == 422
        assert Project.objects.exists()

    def test_not_while_environments_exist(self, cast, sign_in, project):
        make_environment(project)
        response = sign_in(cast.alice).post(reverse("projects:delete", args=["acme", "shop"]), {"confirm_name": "shop"})
        assert response.status_code == 409
        assert "shop-development-1" in response.content.decode()

    def test_not_while_data_of_destroyed_ones_is_kept(self, cast, project):
        environment = make_environment(project)
        Environment.objects.filter(pk=environment.pk).update(status="deleted")
        with pytest.raises(Conflict):
            delete_project(project=project, confirmation="shop", actor=cast.alice)
        Environment.objects.filter(pk=environment.pk).update(purged_at="2026-01-01T00:00Z")
        delete_project(project=project, confirmation="shop", actor=cast.alice)
        assert not Environment.objects.exists()


class TestRepositories:
    def test_name_and_short_name_come_from_the_address(self, repository):
        assert (repository.name, repository.slug) == ("sale", "sale")

    def test_a_branch_for_each_type(self, cast, sign_in, project):
        values = {
            "kind": "module",
            "url": "https://example.com/x.git",
            "branch": "main",
            "priority": "5",
            "staging_branch": "release",
        }
        sign_in(cast.alice).post(reverse("projects:add_repository", args=["acme", "shop"]), values)
        stored = Repository.objects.get()
        assert stored.branch_map == {"staging": "release"}
        assert (stored.branch_for("staging"), stored.branch_for("production")) == ("release", "main")

    def test_its_kind_stays(self, cast, sign_in, repository):
        values = {"kind": "primary", "url": repository.url, "branch": "18.0", "priority": "1"}
        url = reverse("projects:repository", args=["acme", "shop", repository.pk])
        assert sign_in(cast.alice).post(url, values).status_code == 302
        repository.refresh_from_db()
        assert (repository.kind, repository.branch, repository.slug) == ("module", "18.0", "sale")

    @pytest.mark.parametrize(
        "values",
        [
            {"subdirectory": "../x"},
            {"subdirectory": "/etc"},
            {"subdirectory": "a/../b"},
            {"subdirectory": "-x"},
            {"production_branch": "--x"},
            {"priority": "-1"},
            {"kind": "platform"},
            {"name": "a\0b"},
        ],
        ids=str,
    )
    def test_bad_input(self, cast, sign_in, project, values):
        good = {"kind": "module", "url": "https://example.com/x.git", "branch": "main", "priority": "5"}
        url = reverse("projects:add_repository", args=["acme", "shop"])
        assert sign_in(cast.alice).post(url, good | values).status_code == 422
        assert not Repository.objects.exists()

    def test_another_address_forgets_what_was_fetched(self, cast, repository, django_capture_on_commit_callbacks):
        mirror = git.mirror_path(repository)
        mirror.mkdir(parents=True)
        with django_capture_on_commit_callbacks(execute=True):
            update_repository(repository=repository, actor=cast.alice, branch="18.0")
        assert mirror.exists()
        with django_capture_on_commit_callbacks(execute=True):
            update_repository(repository=repository, actor=cast.alice, url="https://example.com/other.git")
        assert not mirror.exists()

    def test_removing(self, cast, sign_in, repository):
        url = reverse("projects:remove_repository", args=["acme", "shop", repository.pk])
        client = sign_in(cast.alice)
        assert client.post(url).status_code == 302
        assert client.post(url).status_code == 404

    @pytest.mark.parametrize("branch_map", [{"test": "x"}, {"staging": "--x"}, {"staging": 1}, ["a"], "a"])
    def test_a_map_has_branches_by_type(self, cast, repository, branch_map):
        with pytest.raises(ValidationError):
            update_repository(repository=repository, actor=cast.alice, branch_map=branch_map)


class TestCredentials:
    def test_one_in_use_stays(self, cast, project):
        credential = credentials.add_token(
            organization=cast.acme, name="T", host="example.com", token="s3cret-token", actor=cast.alice
        )
        add_repository(
            project=project,
            kind="primary",
            url="https://example.com/a.git",
            branch="main",
            credential=credential,
            actor=cast.alice,
        )
        with pytest.raises(Conflict, match="T is used by Shop: a"):
            credentials.remove_credential(credential=credential, actor=cast.alice)

    def test_a_name_once(self, cast):
        credentials.generate_deploy_key(organization=cast.acme, name="Key", actor=cast.alice)
        with pytest.raises(Conflict) as caught:
            credentials.generate_deploy_key(organization=cast.acme, name="Key", actor=cast.alice)
        assert caught.value.code == "projects.name_taken"
        credentials.generate_deploy_key(organization=cast.umbrella, name="Key", actor=cast.charlie)

    def test_replacing_a_token(self, cast, sign_in):
        credential = credentials.add_token(
            organization=cast.acme, name="T", host="example.com", token="s3cret-token", actor=cast.alice
        )
        url = reverse("projects:replace_token", args=["acme", credential.pk])
        sign_in(cast.alice).post(url, {"secret": "another-secret"})
        credential.refresh_from_db()
        assert credential.token == "another-secret"
        sign_in(cast.alice).post(url, {"secret": "x"})
        credential.refresh_from_db()
        assert credential.token == "another-secret"

    def test_the_audit_trail_holds_no_secret(self, cast):
        credentials.add_token(
            organization=cast.acme, name="T", host="example.com", token="s3cret-token", actor=cast.alice
        )
        event = Event.objects.get(action="git_credential.added")
        assert "s3cret-token" not in str(event.after)
        assert event.after["host"] == "example.com"

    def test_a_token_needs_its_host(self, cast):
        with pytest.raises(ValidationError):
            credentials.add_token(organization=cast.acme, name="T", host="", token="s3cret-token", actor=cast.alice)

    @pytest.mark.parametrize("token", ["", "abc", " abcdef", "a\nbcdef", "abc\0def", "x" * 4097])
    def test_bad_tokens(self, cast, token):
        with pytest.raises(ValidationError):
            credentials.add_token(organization=cast.acme, name="T", host="example.com", token=token, actor=cast.alice)
        assert not GitCredential.objects.exists()

    def test_a_problem_never_shows_a_token(self, cast):

        access = Access(Remote("https", "example.com", 443), [], {}, ["s3cret-token"])
        problem = explain("fatal: odd words with s3cret-token inside", access=access, exit_code=1, context={})
        assert isinstance(problem, Problem)
        assert "s3cret-token" not in problem.what_to_do
        assert MASK in problem.what_to_do
