"""Pages of teams, a project's people, roles, and a person's rights."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.core import clock
from apps.orgs import custom_roles, project_roles, teams
from apps.orgs.models import CustomRole, CustomRoleAssignment, Membership, PermissionOverride, Team
from apps.projects.models import Project
from tests.factories import make_project

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def shop(cast):
    return make_project(cast.acme, "Shop")


def member(cast, user):
    return Membership.objects.get(organization=cast.acme, user=user)


def address(name, cast, *parts):
    return reverse(f"portal:{name}", args=[cast.acme.slug, *parts])


def test_a_team_from_its_making_to_its_end(cast, shop, sign_in):
    """By plain forms alone."""
    anna = sign_in(cast.anna)
    answer = anna.post(address("teams", cast), {"name": "Ops", "description": "They run it", "colour": "blue"})
    team = Team.objects.get(name="Ops")
    assert answer.url == address("team", cast, team.pk)
    anna.post(address("team_member_add", cast, team.pk), {"person": cast.bob.pk})
    anna.post(address("team_project", cast, team.pk), {"project": shop.pk, "role": "admin"})
    bob = User.objects.get(pk=cast.bob.pk)
    assert bob.has_perm("project.delete", shop)
    page = anna.get(address("team", cast, team.pk)).content.decode()
    assert "Bob" in page
    assert "Shop" in page
    anna.post(address("team_project", cast, team.pk), {"project": shop.pk, "role": ""})
    assert not User.objects.get(pk=cast.bob.pk).has_perm("project.delete", shop)
    anna.post(address("team_member_remove", cast, team.pk), {"person": cast.bob.pk})
    assert not team.group.user_set.exists()
    anna.post(address("team", cast, team.pk), {"name": "Operators", "colour": "red"})
    assert anna.get(address("teams", cast)).content.decode().count("Operators") == 1
    anna.post(address("team_delete", cast, team.pk))
    assert not Team.objects.filter(pk=team.pk).exists()


@pytest.mark.parametrize("name", ["", "Crew", "two\nlines", "x" * 61])
def test_a_bad_name_for_a_team_is_said_in_the_form(cast, sign_in, name):
    answer = sign_in(cast.anna).post(address("teams", cast), {"name": name, "colour": "blue"})
    assert answer.status_code == 422
    assert Team.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("person", "none"), ("person", ""), ("person", "00000000-0000-0000-0000-000000000000"), ("person", "charlie")],
)
def test_people_who_are_not_there_are_not_added(cast, sign_in, field, value):
    value = cast.charlie.pk if value == "charlie" else value
    answer = sign_in(cast.anna).post(address("team_member_add", cast, cast.crew.pk), {field: value})
    assert answer.status_code == 404


def test_ids_of_another_organization_are_unknown(cast, sign_in):
    theirs = make_project(cast.umbrella, "Theirs")
    their_team = teams.create_team(organization=cast.umbrella, name="Theirs", actor=cast.charlie)
    anna, alice = sign_in(cast.anna), sign_in(cast.alice)
    data = {"project": theirs.pk, "role": "admin"}
    assert anna.post(address("team_project", cast, cast.crew.pk), data).status_code == 404
    assert anna.get(address("team", cast, their_team.pk)).status_code == 404
    role = custom_roles.create_role(organization=cast.umbrella, name="Theirs", codes=["org.view"], actor=cast.charlie)
    assert alice.get(address("role", cast, role.pk)).status_code == 404
    bob = member(cast, cast.bob)
    assert alice.post(address("role_give", cast, bob.pk), {"role": role.pk}).status_code == 422
    answer = alice.post(
        address("override_set", cast, bob.pk), {"code": "org.update", "effect": "grant", "project": theirs.pk}
    )
    assert answer.status_code == 422
    assert not PermissionOverride.objects.exists()
    charlie = Membership.objects.get(user=cast.charlie)
    assert alice.get(address("person_rights", cast, charlie.pk)).status_code == 404


def test_roles_on_a_project(cast, shop, sign_in):
    alice = sign_in(cast.alice)
    alice.post(address("project_person", cast, shop.slug), {"person": cast.vera.pk, "role": "admin"})
    assert User.objects.get(pk=cast.vera.pk).has_perm("project.members.manage", shop)
    vera = sign_in(cast.vera)
    page = vera.get(address("project_members", cast, shop.slug)).content.decode()
    assert "Crew" in page
    vera.post(address("project_team", cast, shop.slug), {"team": cast.crew.pk, "role": "developer"})
    assert User.objects.get(pk=cast.bob.pk).has_perm("project.environments.create", shop)
    answer = vera.post(address("project_person", cast, shop.slug), {"person": cast.vera.pk, "role": ""})
    assert answer.status_code == 302
    assert vera.get(address("project_members", cast, shop.slug)).status_code == 403


@pytest.mark.parametrize("role", ["owner", "ADMIN", "nonsense"])
def test_a_role_that_does_not_exist_is_refused(cast, shop, sign_in, role):
    data = {"person": cast.vera.pk, "role": role}
    assert sign_in(cast.alice).post(address("project_person", cast, shop.slug), data).status_code == 404


def test_a_role_beyond_ones_own_is_refused_with_words(cast, shop, sign_in):
    role = custom_roles.create_role(
        organization=cast.acme, name="People", codes=["project.members.manage"], actor=cast.alice
    )
    custom_roles.give_role(role=role, user=cast.bob, actor=cast.alice)
    data = {"person": cast.bob.pk, "role": "admin"}
    answer = sign_in(cast.bob).post(address("project_person", cast, shop.slug), data)
    assert answer.status_code == 403
    assert b"Nobody gives or takes rights" in answer.content


def test_the_matrix_shows_every_code_and_the_organizations_own_roles(cast, sign_in):
    custom_roles.create_role(organization=cast.acme, name=f"Own {SCRIPT}", codes=["org.view"], actor=cast.alice)
    html = sign_in(cast.vera).get(address("roles", cast)).content.decode()
    assert html.count('<th scope="row"') == 95
    assert SCRIPT not in html
    assert "Own &lt;script&gt;" in html


def test_a_role_is_made_changed_and_deleted(cast, sign_in):
    anna = sign_in(cast.anna)
    data = {"name": "Auditor", "codes": ["org.audit.view", "org.update"]}
    assert anna.post(address("role_create", cast), data).url == address("roles", cast)
    role = CustomRole.objects.get(name="Auditor")
    anna.post(address("role", cast, role.pk), {"name": "Reader", "codes": ["org.audit.view"]})
    role.refresh_from_db()
    assert (role.name, role.codes) == ("Reader", ["org.audit.view"])
    assert anna.post(address("role_delete", cast, role.pk)).status_code == 302
    assert not CustomRole.objects.exists()


@pytest.mark.parametrize("codes", [["org.delete"], ["portal.admin"], ["nonsense"], []])
def test_a_role_with_codes_that_its_author_cannot_give_is_refused(cast, sign_in, codes):
    answer = sign_in(cast.anna).post(address("role_create", cast), {"name": "High", "codes": codes})
    assert answer.status_code == 422
    assert not CustomRole.objects.exists()


def test_an_admin_does_not_change_a_role_of_the_owners(cast, sign_in):
    high = custom_roles.create_role(organization=cast.acme, name="High", codes=["org.delete"], actor=cast.alice)
    anna = sign_in(cast.anna)
    answer = anna.post(address("role", cast, high.pk), {"name": "High", "codes": ["org.view"]})
    assert answer.status_code == 422
    assert anna.post(address("role_delete", cast, high.pk)).status_code == 403


def test_why_somebody_has_a_right(cast, shop, sign_in):
    project_roles.set_person_role(user=cast.bob, project=shop, role="developer", actor=cast.alice)
    alice, bob = sign_in(cast.alice), member(cast, cast.bob)
    role = custom_roles.create_role(organization=cast.acme, name="Auditor", codes=["org.audit.view"], actor=cast.alice)
    assert alice.post(address("role_give", cast, bob.pk), {"role": role.pk}).status_code == 302
    until = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    data = {"code": "project.environments.deploy", "effect": "deny", "expires_at": until, "reason": f"Ill {SCRIPT}"}
    assert alice.post(address("override_set", cast, bob.pk), data).status_code == 302
    html = alice.get(address("person_rights", cast, bob.pk), {"project": shop.slug}).content.decode()
    for words in (
        "Developer of the organization",
        "Developer on this project",
        "the role Auditor",
        "taken away as an exception for 48 hours more",
    ):
        assert words in html, words
    assert SCRIPT not in html
    override, assignment = PermissionOverride.objects.get(), CustomRoleAssignment.objects.get()
    assert alice.post(address("override_remove", cast, bob.pk, override.pk)).status_code == 302
    assert alice.post(address("role_take", cast, bob.pk, assignment.pk)).status_code == 302
    assert not PermissionOverride.objects.exists()
    assert not CustomRoleAssignment.objects.exists()


def test_what_is_explained_is_what_is_answered(cast, shop):
    from apps.orgs.access import codes_on
    from apps.orgs.explanation import explain

    project_roles.set_person_role(user=cast.vera, project=shop, role="admin", actor=cast.alice)
    for person in (cast.alice, cast.anna, cast.bob, cast.vera, cast.sam, cast.charlie):
        person = User.objects.get(pk=person.pk)
        for project in (None, shop):
            has = {one.code for one in explain(person, cast.acme, project) if one.has}
            assert has == codes_on(person, project or cast.acme), (person, project)


def test_exceptions_in_the_past_or_about_oneself_are_refused(cast, sign_in):
    anna = sign_in(cast.anna)
    past = {"code": "org.update", "effect": "grant", "expires_at": "2020-01-01T00:00"}
    answer = anna.post(address("override_set", cast, member(cast, cast.bob).pk), past)
    assert answer.status_code == 422
    own = {"code": "org.update", "effect": "grant"}
    answer = anna.post(address("override_set", cast, member(cast, cast.anna).pk), own)
    assert answer.status_code == 422
    assert b"their own rights" in answer.content
    assert not PermissionOverride.objects.exists()


def test_an_exception_of_one_member_is_not_ended_under_anothers_address(cast, sign_in):
    alice = sign_in(cast.alice)
    alice.post(address("override_set", cast, member(cast, cast.bob).pk), {"code": "org.update", "effect": "grant"})
    override = PermissionOverride.objects.get()
    assert alice.post(address("override_remove", cast, member(cast, cast.vera).pk, override.pk)).status_code == 404


def test_names_with_script_stay_text(cast, shop, sign_in):
    alice = sign_in(cast.alice)
    alice.post(address("teams", cast), {"name": SCRIPT, "description": SCRIPT, "colour": "red"})
    Project.objects.filter(pk=shop.pk).update(name=SCRIPT)
    team = Team.objects.get(name=SCRIPT)
    alice.post(address("team_project", cast, team.pk), {"project": shop.pk, "role": "viewer"})
    for page in (
        address("teams", cast),
        address("team", cast, team.pk),
        address("project_members", cast, shop.slug),
        address("person_rights", cast, member(cast, cast.bob).pk),
    ):
        html = alice.get(page).content.decode()
        assert SCRIPT not in html, page
        assert "&lt;script&gt;" in html, page


def test_the_number_of_queries_does_not_grow(cast, shop, sign_in):
    pages = [
        address("teams", cast),
        address("team", cast, cast.crew.pk),
        address("project_members", cast, shop.slug),
        address("roles", cast),
        address("person_rights", cast, member(cast, cast.bob).pk),
    ]
    alice = sign_in(cast.alice)

    def count(page):
        with CaptureQueriesContext(connection) as queries:
            assert alice.get(page).status_code == 200
        return len(queries)

    alice.get(pages[0])  # the first page of a session notes the session
    few = [count(page) for page in pages]
    for number in range(6):
        team = teams.create_team(organization=cast.acme, name=f"Team {number}", actor=cast.alice)
        teams.add_to_team(team=team, user=cast.bob, actor=cast.alice)
        project = make_project(cast.acme, f"Project {number}")
        project_roles.set_team_role(team=team, project=shop, role="viewer", actor=cast.alice)
        project_roles.set_team_role(team=cast.crew, project=project, role="admin", actor=cast.alice)
        custom_roles.create_role(organization=cast.acme, name=f"R {number}", codes=["org.view"], actor=cast.alice)
    assert [count(page) for page in pages] == few
