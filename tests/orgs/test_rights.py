"""What each role may do where: the table's 95 codes for six roles, teams, own roles, exceptions."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from guardian.models import UserObjectPermission

from apps.accounts.models import User
from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Problem
from apps.orgs import custom_roles, overrides, project_roles, stored_rights, teams
from apps.orgs.access import codes_on
from apps.orgs.models import Membership, PermissionOverride
from apps.orgs.roles import CODES_BY_PROJECT_ROLE, CODES_BY_ROLE, ORDERED_CODES, SYSTEM_ROLES, Role
from apps.projects.models import Project
from tests.cast import make_person
from tests.factories import make_environment, make_project

GOLDEN = Path(__file__).parent / "golden" / "permissions.csv"
ROWS = list(csv.DictReader(GOLDEN.read_text().splitlines()))
GRANT, DENY = PermissionOverride.Effect.GRANT, PermissionOverride.Effect.DENY


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


@pytest.fixture
def shop(cast):
    return make_project(cast.acme, "Shop")


@pytest.fixture
def hidden(cast, shop):
    """A project of Acme on which Bob's team is not."""
    project = make_project(cast.acme, "Hidden")
    project_roles.set_team_role(team=cast.crew, project=project, role=None, actor=cast.alice)
    return project


@pytest.fixture
def people(cast, shop):
    return {"portal_admin": cast.sam, "org_owner": cast.alice, "org_admin": cast.anna, "org_member": cast.bob}


@pytest.mark.parametrize("role", ["portal_admin", "org_owner", "org_admin", "org_member"])
def test_every_code_for_every_role_of_the_organization(cast, shop, people, role):
    """Asked of a person: on the project for its tier's codes, on the organization for the others."""
    person = fresh(people[role])
    for row in ROWS:
        target = shop if row["code"].startswith("project.") else cast.acme
        assert person.has_perm(row["code"], target) is (row[role] == "1"), row["code"]


@pytest.mark.parametrize(("role", "project_role"), [("project_admin", "admin"), ("project_member", "viewer")])
def test_every_code_for_every_role_on_a_project(cast, shop, role, project_role):
    """Asked of a member whose own role is taken out of the count: it is the same on the organization."""
    project_roles.set_person_role(user=cast.vera, project=shop, role=project_role, actor=cast.alice)
    vera = fresh(cast.vera)
    own = codes_on(vera, cast.acme)
    for row in ROWS:
        expected = row[role] == "1" or row["code"] in own
        assert vera.has_perm(row["code"], shop) is expected, row["code"]
    assert CODES_BY_PROJECT_ROLE[project_role] == {row["code"] for row in ROWS if row[role] == "1"}


def test_the_golden_file_has_all_codes_and_roles():
    assert len(ROWS) == 95
    assert tuple(row["code"] for row in ROWS) == ORDERED_CODES
    assert tuple(ROWS[0])[1:] == SYSTEM_ROLES


def test_the_command_prints_the_table(capsys):
    call_command("permissions", "--csv")
    assert capsys.readouterr().out == GOLDEN.read_text()
    call_command("permissions", "--csv", "--role", "org_viewer")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "code,org_viewer"
    assert {line.split(",")[0] for line in printed if line.endswith(",1")} == CODES_BY_ROLE["org_viewer"]
    call_command("permissions")
    assert "org.view" in capsys.readouterr().out


def test_a_developer_has_the_tables_codes_where_a_team_is_and_none_elsewhere(cast, shop, hidden):
    bob = fresh(cast.bob)
    assert codes_on(bob, shop) == CODES_BY_ROLE["org_member"] | CODES_BY_ROLE["project_member"]
    assert {code for code in codes_on(bob, hidden) if code.startswith("project.")} == set()
    assert list(Project.objects.visible_to(bob)) == [shop]


def test_the_highest_role_on_a_project_counts(cast, shop):
    more = teams.create_team(organization=cast.acme, name="More", actor=cast.alice)
    teams.add_to_team(team=more, user=cast.bob, actor=cast.alice)
    project_roles.set_team_role(team=more, project=shop, role="developer", actor=cast.alice)
    assert fresh(cast.bob).has_perm("project.environments.create", shop)
    assert not fresh(cast.bob).has_perm("project.environments.delete", shop)
    project_roles.set_person_role(user=cast.bob, project=shop, role="admin", actor=cast.alice)
    assert fresh(cast.bob).has_perm("project.environments.delete", shop)
    project_roles.set_person_role(user=cast.bob, project=shop, role=None, actor=cast.alice)
    assert not fresh(cast.bob).has_perm("project.environments.delete", shop)


def test_an_onlooker_of_the_organization_can_be_admin_of_a_project(cast, shop, hidden):
    project_roles.set_person_role(user=cast.vera, project=shop, role="admin", actor=cast.alice)
    vera = fresh(cast.vera)
    assert vera.has_perm("project.delete", make_environment(shop))
    assert vera.has_perm("project.view", hidden)
    assert not vera.has_perm("project.update", hidden)
    assert not vera.has_perm("org.update", cast.acme)


def test_somebody_of_another_organization_gets_nothing_from_a_row_that_was_left(cast, shop):
    """A role on a project without the membership is worth nothing, however it came about."""
    with pytest.raises(Problem, match="no member"):
        project_roles.set_person_role(user=cast.charlie, project=shop, role="admin", actor=cast.alice)
    from apps.orgs import grants

    grants.set_role(shop, "admin", user=cast.charlie)
    assert codes_on(fresh(cast.charlie), shop) == set()
    assert not Project.objects.visible_to(cast.charlie).exists()


def test_who_leaves_leaves_everything(cast, shop):
    project_roles.set_person_role(user=cast.bob, project=shop, role="admin", actor=cast.alice)
    overrides.set_override(organization=cast.acme, user=cast.bob, code="org.audit.view", effect=GRANT, actor=cast.alice)
    Membership.objects.get(user=cast.bob, organization=cast.acme).delete()
    assert codes_on(fresh(cast.bob), shop) == set()
    assert not UserObjectPermission.objects.filter(user=cast.bob).exists()
    assert not cast.bob.groups.exists()
    assert not PermissionOverride.objects.filter(user=cast.bob).exists()
    Membership.objects.create(user=cast.bob, organization=cast.acme, role=Role.DEVELOPER)
    assert not Project.objects.visible_to(cast.bob).exists()


def test_roles_of_a_deleted_project_are_gone(cast, shop):
    overrides.set_override(
        organization=cast.acme, user=cast.bob, code="project.update", effect=GRANT, project_id=shop.pk, actor=cast.alice
    )
    shop.delete()
    rights = stored_rights.load(cast.bob.pk, cast.acme.pk)
    assert [grant.source for grant in rights.grants] == ["membership"]


def test_an_own_role_adds_its_codes(cast, shop, hidden):
    role = custom_roles.create_role(
        organization=cast.acme,
        name="Project maker",
        codes=["org.projects.create", "project.update"],
        actor=cast.alice,
    )
    custom_roles.give_role(role=role, user=cast.bob, actor=cast.alice)
    bob = fresh(cast.bob)
    assert bob.has_perm("org.projects.create", cast.acme)
    assert bob.has_perm("project.update", shop)
    assert not bob.has_perm("project.update", hidden)
    custom_roles.update_role(
        role=role, name="Project maker", codes=["project.view", "project.update"], actor=cast.alice
    )
    bob = fresh(cast.bob)
    assert not bob.has_perm("org.projects.create", cast.acme)
    assert bob.has_perm("project.update", hidden)
    assert set(Project.objects.visible_to(bob)) == {shop, hidden}
    custom_roles.delete_role(role=role, actor=cast.alice)
    assert list(Project.objects.visible_to(fresh(cast.bob))) == [shop]


def test_an_own_role_on_one_project(cast, shop, hidden):
    role = custom_roles.create_role(
        organization=cast.acme, name="Keeper", codes=["project.view", "project.backups.restore"], actor=cast.alice
    )
    custom_roles.give_role(role=role, user=cast.bob, actor=cast.alice, project_id=hidden.pk)
    bob = fresh(cast.bob)
    assert bob.has_perm("project.backups.restore", hidden)
    assert not bob.has_perm("project.backups.restore", shop)
    assert set(Project.objects.visible_to(bob)) == {shop, hidden}


def test_what_is_taken_stays_taken_besides_from_the_owner(cast, shop):
    code = "project.environments.deploy"
    overrides.set_override(organization=cast.acme, user=cast.bob, code=code, effect=DENY, actor=cast.alice)
    project_roles.set_person_role(user=cast.bob, project=shop, role="admin", actor=cast.alice)
    assert not fresh(cast.bob).has_perm(code, shop)
    with pytest.raises(Problem, match="every right"):
        overrides.set_override(organization=cast.acme, user=cast.alice, code=code, effect=DENY, actor=cast.anna)
    PermissionOverride.objects.create(organization=cast.acme, user=cast.alice, code=code, effect=DENY)
    assert fresh(cast.alice).has_perm(code, shop)


def test_an_exception_for_one_project_and_for_a_while(cast, shop):
    other = make_project(cast.acme, "Other")
    until = clock.now() + timedelta(hours=1)
    overrides.set_override(
        organization=cast.acme, user=cast.vera, code="project.environments.deploy", effect=GRANT,
        project_id=shop.pk, expires_at=until, actor=cast.alice,
    )  # fmt: skip
    assert fresh(cast.vera).has_perm("project.environments.deploy", shop)
    assert not fresh(cast.vera).has_perm("project.environments.deploy", other)
    with clock.freeze(until):
        assert not fresh(cast.vera).has_perm("project.environments.deploy", shop)


def test_a_project_that_is_taken_from_somebody_does_not_exist_for_them(cast, shop):
    other = make_project(cast.acme, "Other")
    overrides.set_override(
        organization=cast.acme, user=cast.vera, code="project.view", effect=DENY, project_id=shop.pk, actor=cast.alice
    )
    assert list(Project.objects.visible_to(fresh(cast.vera))) == [other]
    assert {code for code in codes_on(fresh(cast.vera), shop) if code.startswith("project.")} == set()


@pytest.mark.parametrize("code", ["portal.admin", "org.nonsense", "", "role_owner", "project.view\n"])
def test_no_exception_about_what_nobody_can_give(cast, code):
    with pytest.raises(ValidationError):
        overrides.set_override(organization=cast.acme, user=cast.bob, code=code, effect=GRANT, actor=cast.alice)
    with pytest.raises(ValidationError):
        custom_roles.create_role(organization=cast.acme, name="Odd", codes=[code], actor=cast.alice)


def test_an_end_in_the_past_is_refused(cast):
    with pytest.raises(Problem, match="past"):
        overrides.set_override(
            organization=cast.acme, user=cast.bob, code="org.audit.view", effect=GRANT,
            expires_at=clock.now(), actor=cast.alice,
        )  # fmt: skip


def test_visibility_and_codes_agree(cast, shop, hidden):
    """`visible_to` in the database and `Rights.reaches` in Python say the same."""
    for person in (cast.alice, cast.anna, cast.bob, cast.vera, cast.charlie, make_person("Nobody")):
        seen = set(Project.objects.visible_to(fresh(person)).filter(organization=cast.acme))
        for project in (shop, hidden):
            assert (project in seen) is fresh(person).has_perm("project.view", project), (person, project)


def test_guardians_rows_agree_with_the_memberships(cast):
    def rows():
        return {
            (row.user_id, row.object_pk, row.permission.codename)
            for row in UserObjectPermission.objects.filter(permission__codename__startswith="role_")
        }

    def memberships():
        return {(one.user_id, str(one.organization_id), f"role_{one.role}") for one in Membership.objects.all()}

    assert rows() == memberships()
    membership = Membership.objects.get(user=cast.bob)
    membership.role = Role.ADMIN
    membership.save(update_fields=["role"])
    assert rows() == memberships()
    membership.delete()
    assert rows() == memberships()
    cast.umbrella.delete()
    assert rows() == memberships()


def test_every_change_is_written_down(cast, shop):
    team = teams.create_team(organization=cast.acme, name="Ops", actor=cast.alice)
    teams.update_team(team=team, name="Operators", actor=cast.alice)
    teams.add_to_team(team=team, user=cast.bob, actor=cast.alice)
    project_roles.set_team_role(team=team, project=shop, role="developer", actor=cast.alice)
    project_roles.set_person_role(user=cast.bob, project=shop, role="viewer", actor=cast.alice)
    teams.remove_from_team(team=team, user=cast.bob, actor=cast.alice)
    teams.delete_team(team=team, actor=cast.alice)
    role = custom_roles.create_role(organization=cast.acme, name="R", codes=["org.audit.view"], actor=cast.alice)
    custom_roles.update_role(role=role, name="R2", codes=["org.view"], actor=cast.alice)
    given = custom_roles.give_role(role=role, user=cast.bob, actor=cast.alice)
    custom_roles.take_role(assignment=given, actor=cast.alice)
    custom_roles.delete_role(role=role, actor=cast.alice)
    one = overrides.set_override(
        organization=cast.acme, user=cast.bob, code="org.audit.view", effect=GRANT, actor=cast.alice
    )
    overrides.remove_override(override=one, actor=cast.alice)
    actions = set(
        Event.objects.filter(organization_id=cast.acme.pk, actor_id=cast.alice.pk).values_list("action", flat=True)
    )
    assert actions >= {
        "team.created", "team.updated", "team.member_added", "team.member_removed", "team.deleted",
        "project.team_role_changed", "project.member_role_changed",
        "role.created", "role.updated", "role.given", "role.taken", "role.deleted",
        "override.set", "override.removed",
    }  # fmt: skip
