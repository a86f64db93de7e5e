"""Creating a project: on its page and by its service."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from apps.audit.models import Event
from apps.core.exceptions import Conflict
from apps.projects.models import GitCredential, Project, Repository
from apps.projects.services import add_repository, create_project
from tests.factories import make_project


def form(**values):
    return {"name": "Shop", "odoo_version": "19.0", "branch": "main"} | values


def test_a_project_with_its_repository(cast, sign_in):
    url = reverse("projects:create", args=["acme"])
    response = sign_in(cast.alice).post(url, form(url="https://example.com/shop.git", branch="19.0"))
    project = Project.objects.get()
    assert response["Location"] == reverse("environments:create", args=["acme", "shop"])
    assert (project.slug, project.odoo_version, project.default_branch) == ("shop", "19.0", "19.0")
    assert project.primary_repository.url == "https://example.com/shop.git"
    assert Event.objects.filter(action="project.created", actor_id=cast.alice.pk).exists()


def test_a_second_one_of_the_name_gets_a_number(cast, sign_in):
    client, url = sign_in(cast.alice), reverse("projects:create", args=["acme"])
    client.post(url, form())
    client.post(url, form())
    assert sorted(Project.objects.values_list("slug", flat=True)) == ["shop", "shop-2"]


def test_a_short_name_that_is_taken_stands_beside_the_form(cast, sign_in, project):
    response = sign_in(cast.alice).post(reverse("projects:create", args=["acme"]), form(name="Other", slug="shop"))
    assert response.status_code == 422
    assert "There is a project with the short name shop already" in response.content.decode()
    assert "Other" in response.content.decode()


def test_a_new_token_becomes_a_credential_for_its_host(cast, sign_in):
    values = form(url="https://git.example.com/shop.git", token="s3cret-token", username="robot")
    response = sign_in(cast.alice).post(reverse("projects:create", args=["acme"]), values)
    assert response.status_code == 302
    credential = GitCredential.objects.get()
    assert (credential.host, credential.username, credential.token) == ("git.example.com", "robot", "s3cret-token")
    assert Repository.objects.get().credential == credential


def test_a_token_is_not_kept_when_the_project_is_refused(cast, sign_in, project):
    values = form(slug="shop", url="https://example.com/shop.git", token="s3cret-token")
    response = sign_in(cast.alice).post(reverse("projects:create", args=["acme"]), values)
    assert response.status_code == 422
    assert not GitCredential.objects.exists()
    assert "s3cret-token" not in response.content.decode()


def test_making_a_deploy_key_keeps_what_was_typed(cast, sign_in):
    values = form(name="Bakery", url="git@example.com:bakery.git", generate_key="1")
    response = sign_in(cast.alice).post(reverse("projects:create", args=["acme"]), values)
    key = GitCredential.objects.get()
    content = response.content.decode()
    assert key.public_key.startswith("ssh-ed25519 ")
    assert key.public_key.split()[1] in content.replace("&#x2B;", "+")
    assert "git@example.com:bakery.git" in content
    assert f'value="{key.pk}" selected' in content
    assert "PRIVATE KEY" not in content
    assert not Project.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "a\0b"},
        {"slug": "../etc"},
        {"slug": "-x"},
        {"slug": "Shop"},
        {"slug": "admin"},
        {"slug": "a" * 41},
        {"odoo_version": "13.0"},
        {"odoo_version": "20.0"},
        {"odoo_version": ""},
        {"odoo_version": "19"},
        {"url": "--upload-pack=touch /tmp/x"},
        {"url": "ext::sh -c id"},
        {"url": "file:///etc/passwd"},
        {"url": "https://u:p@example.com/a.git"},
        {"url": "https://example.com/a;id"},
        {"url": "https://example.com/$(id)"},
        {"url": "https://example.com/a\nb"},
        {"url": "https://example.com/../a"},
        {"url": "https://example.com/a", "branch": "--upload-pack=x"},
        {"url": "https://example.com/a", "branch": "a..b"},
        {"url": "https://example.com/a", "branch": "a;b"},
        {"url": "https://example.com/a", "branch": "a\nb"},
        {"url": "https://example.com/a", "token": "abc"},
        {"url": "https://example.com/a", "token": "abc\ndef"},
        {"url": "git@example.com:a.git", "token": "s3cret-token"},
        {"url": "https://example.com/a", "credential": "00000000-0000-0000-0000-000000000000"},
    ],
    ids=str,
)
def test_bad_input_is_refused_beside_its_field(cast, sign_in, values):
    response = sign_in(cast.alice).post(reverse("projects:create", args=["acme"]), form(**values))
    assert response.status_code == 422
    assert not Project.objects.exists()


def test_credentials_of_others_do_not_exist(cast, sign_in):
    theirs = GitCredential.objects.create(
        organization=cast.umbrella, name="Theirs", kind="token", host="example.com", token="s3cret-token"
    )
    values = form(url="https://example.com/a.git", credential=str(theirs.pk))
    assert sign_in(cast.alice).post(reverse("projects:create", args=["acme"]), values).status_code == 422
    with pytest.raises(ValidationError):
        make_project(cast.acme, repository_url="https://example.com/a.git", credential=theirs)


@pytest.mark.parametrize("version", ["13.0", "20.0", "19", "saas-17.1", ""])
def test_the_service_refuses_other_versions(cast, version):
    with pytest.raises(ValidationError):
        create_project(organization=cast.acme, name="X", odoo_version=version, actor=cast.alice)


def test_one_primary_repository(cast, project):
    values = {"project": project, "kind": "primary", "branch": "main", "actor": cast.alice}
    add_repository(url="https://example.com/a.git", **values)
    with pytest.raises(Conflict) as caught:
        add_repository(url="https://example.com/b.git", **values)
    assert caught.value.code == "projects.primary_exists"
