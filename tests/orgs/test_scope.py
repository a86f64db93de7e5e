"""A narrowed user object sees and may less, never more."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.orgs.access import Scope, codes_on, narrow
from apps.orgs.models import Organization
from apps.projects.models import Project
from apps.servers.models import Server
from tests.factories import make_environment, make_project, make_server


@pytest.fixture
def two_projects(cast):
    """Two projects of Acme and one of Umbrella."""
    return make_project(cast.acme, "Shop"), make_project(cast.acme, "Wiki"), make_project(cast.umbrella, "Other")


def fresh(user):
    return User.objects.get(pk=user.pk)


def test_reading_only_leaves_codes_that_read(cast, two_projects):
    alice = narrow(fresh(cast.alice), Scope(read_only=True))
    codes = codes_on(alice, two_projects[0])
    assert "project.view" in codes
    assert all(code.endswith((".view", ".list")) for code in codes)
    assert not alice.has_perm("project.environments.deploy", two_projects[0])
    assert fresh(cast.alice).has_perm("project.environments.deploy", two_projects[0])


def test_a_scope_of_one_organization_hides_the_others(cast, two_projects):
    sam = narrow(fresh(cast.sam), Scope(organization_ids=frozenset({cast.umbrella.pk})))
    assert not sam.has_perm("org.view", cast.acme)
    assert sam.has_perm("org.view", cast.umbrella)
    assert not sam.has_perm("portal.admin")
    assert not Project.objects.visible_to(sam).filter(organization=cast.acme).exists()
    charlie = narrow(fresh(cast.charlie), Scope(organization_ids=frozenset({cast.acme.pk})))
    assert not Organization.objects.visible_to(charlie).exists()
    assert not charlie.has_perm("org.view", cast.acme)


def test_a_scope_of_one_project(cast, two_projects):
    shop, wiki, _ = two_projects
    make_server(cast.acme)
    inside, outside = make_environment(shop), make_environment(wiki)
    alice = narrow(fresh(cast.alice), Scope(organization_ids=frozenset({cast.acme.pk}), project_id=shop.pk))
    assert list(Project.objects.visible_to(alice)) == [shop]
    assert list(type(inside).objects.visible_to(alice)) == [inside]
    assert Server.objects.visible_to(alice).count() == 1
    assert alice.has_perm("project.environments.deploy", inside)
    assert not alice.has_perm("project.environments.deploy", outside)
    assert not alice.has_perm("project.environments.deploy", cast.acme)
    assert codes_on(alice, cast.acme) == {"org.view", "org.projects.list", "org.servers.list"}


def test_narrowing_twice_never_widens(cast, two_projects):
    shop, wiki, _ = two_projects
    alice = narrow(fresh(cast.alice), Scope(project_id=shop.pk, read_only=True))
    narrow(alice, Scope(project_id=wiki.pk))
    assert not alice.has_perm("project.view", shop)
    assert not alice.has_perm("project.view", wiki)
    assert not Project.objects.visible_to(alice).exists()
    anna = narrow(fresh(cast.anna), Scope(organization_ids=frozenset({cast.acme.pk}), read_only=True))
    narrow(anna, Scope())
    assert not anna.has_perm("org.update", cast.acme)
