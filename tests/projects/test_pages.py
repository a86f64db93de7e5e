"""Who may open which page of projects: members by their role, strangers nothing at all."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.projects import credentials
from apps.projects.models import Repository
from tests.factories import make_project


@pytest.fixture
def things(cast, project):
    """One of everything of Acme, by the names that addresses use."""
    repository = Repository.objects.create(
        project=project, kind="primary", name="R", slug="r", url="https://example.com/r.git", branch="main"
    )
    token = credentials.add_token(
        organization=cast.acme, name="T", host="example.com", token="s3cret-token", actor=cast.alice
    )
    account = credentials.add_registry_account(
        organization=cast.acme,
        name="A",
        kind="ghcr",
        host="ghcr.io",
        username="robot",
        password="s3cret-password",
        actor=cast.alice,
    )
    return {"repository": repository, "credential": token, "account": account, "project": project}


# Name, parts of the address after the organization, method, and who may (owner, admin, developer, viewer).
READERS, MANAGERS = "alice anna bob vera", "alice anna"
PAGES = [
    ("projects:list", (), "GET", READERS),
    ("projects:create", (), "GET", MANAGERS),
    ("projects:branches", (), "POST", MANAGERS),
    ("projects:settings", ("project",), "GET", READERS),
    ("projects:delete", ("project",), "POST", MANAGERS),
    ("projects:commits", ("project",), "GET", READERS),
    ("projects:add_repository", ("project",), "GET", MANAGERS),
    ("projects:repository", ("project", "repository"), "GET", MANAGERS),
    ("projects:remove_repository", ("project", "repository"), "POST", MANAGERS),
    ("projects:credentials", (), "GET", READERS),
    ("projects:add_token", (), "POST", MANAGERS),
    ("projects:add_key", (), "POST", MANAGERS),
    ("projects:replace_token", ("credential",), "POST", MANAGERS),
    ("projects:forget_host_key", ("credential",), "POST", MANAGERS),
    ("projects:remove_credential", ("credential",), "POST", MANAGERS),
    ("projects:registries", (), "GET", READERS),
    ("projects:add_registry", (), "POST", MANAGERS),
    ("projects:replace_registry_password", ("account",), "POST", MANAGERS),
    ("projects:remove_registry", ("account",), "POST", MANAGERS),
]


def address(name, parts, cast, things):
    values = [things[part].slug if part == "project" else things[part].pk for part in parts]
    return reverse(name, args=[cast.acme.slug, *values])


@pytest.mark.parametrize(("name", "parts", "method", "allowed"), PAGES, ids=[page[0] for page in PAGES])
class TestEveryPage:
    def test_a_stranger_finds_nothing(self, cast, sign_in, things, name, parts, method, allowed):
        url = address(name, parts, cast, things)
        assert sign_in(cast.charlie).generic(method, url).status_code == 404

    def test_nobody_signs_in_first(self, cast, client, things, name, parts, method, allowed):
        response = client.generic(method, address(name, parts, cast, things))
        assert response.status_code == 302
        assert reverse("account_login") in response["Location"]

    @pytest.mark.parametrize("person", ["alice", "anna", "bob", "vera"])
    def test_members_by_their_role(self, cast, sign_in, things, name, parts, method, allowed, person):
        response = sign_in(getattr(cast, person)).generic(method, address(name, parts, cast, things))
        if person in allowed.split():
            assert response.status_code in (200, 302, 409, 422)
        else:
            assert response.status_code == 403

    def test_wrong_methods(self, cast, sign_in, things, name, parts, method, allowed):
        wrong = "DELETE" if method == "GET" else "GET"
        assert sign_in(cast.alice).generic(wrong, address(name, parts, cast, things)).status_code == 405


@pytest.mark.parametrize("page", ["projects:credentials", "projects:registries"])
def test_secrets_are_never_shown_again(cast, sign_in, things, page):
    content = sign_in(cast.alice).get(reverse(page, args=["acme"])).content.decode()
    assert "s3cret" not in content


def test_things_of_another_organization_in_ones_own_address(cast, sign_in, things):
    make_project(cast.umbrella)
    client = sign_in(cast.charlie)
    url = reverse("projects:remove_credential", args=["umbrella", things["credential"].pk])
    assert client.post(url).status_code == 404
    url = reverse("projects:repository", args=["umbrella", "shop", things["repository"].pk])
    assert client.get(url).status_code == 404


def test_the_list_is_searched_filtered_and_sorted(cast, sign_in, project):
    make_project(cast.acme, name="Bakery", odoo_version="16.0")
    make_project(cast.umbrella, name="Not mine")
    client, url = sign_in(cast.bob), reverse("projects:list", args=["acme"])
    assert [one.name for one in client.get(url).context["page"]] == ["Bakery", "Shop"]
    assert [one.name for one in client.get(url, {"q": "bak"}).context["page"]] == ["Bakery"]
    assert [one.name for one in client.get(url, {"version": "19.0"}).context["page"]] == ["Shop"]
    assert [one.name for one in client.get(url, {"sort": "-name"}).context["page"]] == ["Shop", "Bakery"]
    assert client.get(url, {"q": "\0'; drop", "version": "7.0", "sort": "organization__slug"}).status_code == 200


def test_an_empty_list_teaches_the_next_step(cast, sign_in):
    content = sign_in(cast.alice).get(reverse("projects:list", args=["acme"])).content.decode()
    assert reverse("projects:create", args=["acme"]) in content
