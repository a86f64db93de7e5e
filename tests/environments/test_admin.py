"""The admin of projects and environments: platform staff only, secrets write-only, the services behind it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.audit.models import Event
from apps.environments.models import EnvironmentVariable
from apps.environments.variables import set_variable
from apps.operations.models import Operation
from apps.projects import credentials
from apps.projects.models import GitCredential, Project, RegistryAccount, Repository
from tests.factories import make_environment, make_project, make_server


@pytest.fixture
def things(cast):
    project = make_project(cast.acme, repository_url="https://example.com/shop.git")
    environment = make_environment(project, server=make_server(cast.acme), status="running")
    variable = set_variable(environment=environment, key="K", value="s3cret-value", sensitive=True, actor=cast.alice)
    token = credentials.add_token(
        organization=cast.acme, name="T", host="example.com", token="s3cret-token", actor=cast.alice
    )
    key = credentials.generate_deploy_key(organization=cast.acme, name="Key", actor=cast.alice)
    account = credentials.add_registry_account(
        organization=cast.acme,
        name="A",
        kind="ghcr",
        host="ghcr.io",
        username="u",
        password="s3cret-pw",
        actor=cast.alice,
    )
    return [project, project.primary_repository, environment, variable, token, key, account]


def page(model, name="changelist", *more):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=more)


def test_every_list_and_page_opens_and_shows_no_secret(cast, sign_in, things):
    client = sign_in(cast.sam)
    environment = things[2]
    secrets = ["s3cret", "PRIVATE KEY", environment.database_password, environment.admin_password]
    for thing in things:
        for url in (page(type(thing)), page(type(thing), "change", thing.pk)):
            response = client.get(url)
            assert response.status_code == 200, url
            assert not [secret for secret in secrets if secret in response.content.decode()], url


def test_customers_stay_outside(cast, sign_in, things):
    for thing in things:
        assert sign_in(cast.alice).get(page(type(thing))).status_code == 302


def test_a_secret_is_replaced_or_kept(cast, sign_in, things):
    client, token, account = sign_in(cast.sam), things[4], things[6]
    values = {"organization": cast.acme.pk, "name": "T", "host": "example.com", "username": "", "new_secret": ""}
    assert client.post(page(GitCredential, "change", token.pk), values).status_code == 302
    token.refresh_from_db()
    assert token.token == "s3cret-token"
    client.post(page(GitCredential, "change", token.pk), values | {"new_secret": "another-token"})
    token.refresh_from_db()
    assert token.token == "another-token"
    values = {"organization": cast.acme.pk, "name": "A", "kind": "ghcr", "host": "ghcr.io", "username": "u"}
    client.post(page(RegistryAccount, "change", account.pk), values | {"new_secret": "another-password"})
    account.refresh_from_db()
    assert account.password == "another-password"


def test_a_new_token_needs_its_secret_and_host(cast, sign_in):
    client, url = sign_in(cast.sam), page(GitCredential, "add")
    good = {"organization": cast.acme.pk, "name": "N", "host": "example.com", "username": "", "new_secret": "s3cret"}
    for bad in ({"new_secret": ""}, {"new_secret": "abc"}, {"host": ""}):
        assert client.post(url, good | bad).status_code == 200
        assert not GitCredential.objects.exists()
    assert client.post(url, good).status_code == 302
    assert GitCredential.objects.get().token == "s3cret"


def test_projects_are_saved_by_the_services(cast, sign_in, things):
    client, project = sign_in(cast.sam), things[0]
    values = {"name": "Shop!", "odoo_version": "19.0", "default_branch": "main", "install_modules": '["sale"]'}
    assert client.post(page(Project, "change", project.pk), values).status_code == 302
    project.refresh_from_db()
    assert (project.name, project.install_modules) == ("Shop!", ["sale"])
    assert Event.objects.filter(action="project.updated", actor_id=cast.sam.pk).exists()
    client.post(page(Project, "change", project.pk), values | {"odoo_version": "18.0"})
    project.refresh_from_db()
    assert project.odoo_version == "19.0"
    assert client.post(page(Project, "delete", project.pk), {"post": "yes"}).status_code == 403
    new = values | {"organization": cast.umbrella.pk, "name": "New", "slug": "new-one"}
    assert client.post(page(Project, "add"), new).status_code == 302
    assert Project.objects.get(slug="new-one").organization == cast.umbrella


def test_repositories_are_saved_by_the_services(cast, sign_in, things):
    client, repository = sign_in(cast.sam), things[1]
    values = {"name": "R", "url": repository.url, "branch": "19.0", "branch_map": "{}", "priority": "7"}
    assert client.post(page(Repository, "change", repository.pk), values).status_code == 302
    repository.refresh_from_db()
    assert (repository.branch, repository.priority) == ("19.0", 7)
    assert Event.objects.filter(action="repository.updated").exists()


def test_variables_are_saved_by_the_services(cast, sign_in, things):
    client, variable = sign_in(cast.sam), things[3]
    url = page(EnvironmentVariable, "change", variable.pk)
    assert client.post(url, {"kind": "string", "new_value": "new-secret"}).status_code == 302
    variable.refresh_from_db()
    assert (variable.value, variable.sensitive) == ("new-secret", True)
    values = {"environment": variable.environment_id, "key": "PATH", "kind": "string", "new_value": "x"}
    assert client.post(page(EnvironmentVariable, "add"), values).status_code == 200
    assert client.post(page(EnvironmentVariable, "add"), values | {"key": "MINE"}).status_code == 302
    assert EnvironmentVariable.objects.get(key="MINE").value == "x"


@pytest.mark.parametrize("action", ["stop", "restart", "sync", "redeploy"])
def test_actions_call_the_services(cast, sign_in, things, action):
    client, environment = sign_in(cast.sam), things[2]
    data = {"action": action, "_selected_action": [environment.pk]}
    for _ in range(2):
        response = client.post(page(type(environment)), data, follow=True)
        assert response.status_code == 200
    assert Operation.objects.count() == 1
    assert Operation.objects.get().created_by == cast.sam


@pytest.mark.parametrize("action", ["start", "purge"])
def test_what_is_not_possible_is_told(cast, sign_in, things, action):
    environment = things[2]
    data = {"action": action, "_selected_action": [environment.pk]}
    content = sign_in(cast.sam).post(page(type(environment)), data, follow=True).content.decode()
    assert "It is not possible to" in content
    assert not Operation.objects.exists()


def test_an_environment_is_never_deleted_here(cast, sign_in, things):
    environment = things[2]
    assert sign_in(cast.sam).post(page(type(environment), "delete", environment.pk), {"post": "yes"}).status_code == 403
