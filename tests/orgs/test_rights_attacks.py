"""Nobody raises themselves, or gives more than they have."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.core.exceptions import Conflict, Problem
from apps.orgs import custom_roles, overrides, project_roles, teams
from apps.orgs.access import codes_on
from apps.orgs.models import CustomRole, PermissionOverride
from tests.cast import make_person
from tests.factories import make_project

GRANT, DENY = PermissionOverride.Effect.GRANT, PermissionOverride.Effect.DENY
MORE = "do not have"


@pytest.fixture
def shop(cast):
    return make_project(cast.acme, "Shop")


def give(cast, user, *codes, project=None):
    """A role of Acme's own for somebody."""
    role = custom_roles.create_role(
        organization=cast.acme, name=f"Role {CustomRole.objects.count()}", codes=codes, actor=cast.alice
    )
    custom_roles.give_role(role=role, user=user, actor=cast.alice, project_id=project.pk if project else None)
    return User.objects.get(pk=user.pk)


def test_a_role_with_a_code_that_its_author_lacks(cast):
    with pytest.raises(Problem, match=MORE):
        custom_roles.create_role(organization=cast.acme, name="X", codes=["org.delete"], actor=cast.anna)
    bob = give(cast, cast.bob, "org.roles.manage")
    with pytest.raises(Problem, match=MORE):
        custom_roles.create_role(organization=cast.acme, name="X", codes=["org.update"], actor=bob)
    assert not CustomRole.objects.filter(name="X").exists()


def test_a_role_of_somebody_higher_is_neither_changed_nor_given_nor_deleted(cast):
    high = custom_roles.create_role(organization=cast.acme, name="High", codes=["org.delete"], actor=cast.alice)
    for act in (
        lambda: custom_roles.update_role(role=high, name="High", codes=["org.view"], actor=cast.anna),
        lambda: custom_roles.give_role(role=high, user=cast.bob, actor=cast.anna),
        lambda: custom_roles.delete_role(role=high, actor=cast.anna),
    ):
        with pytest.raises(Problem, match=MORE):
            act()
    mine = custom_roles.create_role(organization=cast.acme, name="Mine", codes=["org.view"], actor=cast.anna)
    with pytest.raises(Problem, match=MORE):
        custom_roles.update_role(role=mine, name="Mine", codes=["org.billing.manage"], actor=cast.anna)
    mine.refresh_from_db()
    assert mine.codes == ["org.view"]


def test_nobody_changes_their_own_rights(cast):
    role = custom_roles.create_role(organization=cast.acme, name="R", codes=["org.update"], actor=cast.alice)
    with pytest.raises(Problem, match="their own"):
        custom_roles.give_role(role=role, user=cast.anna, actor=cast.anna)
    taken = overrides.set_override(
        organization=cast.acme, user=cast.anna, code="org.servers.shell", effect=DENY, actor=cast.alice
    )
    anna = User.objects.get(pk=cast.anna.pk)
    with pytest.raises(Problem, match="their own"):
        overrides.remove_override(override=taken, actor=anna)
    with pytest.raises(Problem, match="their own"):
        overrides.set_override(organization=cast.acme, user=anna, code="org.servers.shell", effect=GRANT, actor=anna)
    assert not User.objects.get(pk=cast.anna.pk).has_perm("org.servers.shell", cast.acme)


def test_what_one_was_denied_one_gives_to_nobody(cast):
    overrides.set_override(
        organization=cast.acme, user=cast.anna, code="org.servers.shell", effect=DENY, actor=cast.alice
    )
    anna = User.objects.get(pk=cast.anna.pk)
    with pytest.raises(Problem, match=MORE):
        overrides.set_override(
            organization=cast.acme, user=cast.bob, code="org.servers.shell", effect=GRANT, actor=anna
        )
    with pytest.raises(Problem, match=MORE):
        custom_roles.create_role(organization=cast.acme, name="X", codes=["org.servers.shell"], actor=anna)


def test_the_owner_can_be_denied_nothing(cast):
    for effect in (DENY, GRANT):
        with pytest.raises(Problem, match="every right"):
            overrides.set_override(
                organization=cast.acme, user=cast.alice, code="org.view", effect=effect, actor=cast.anna
            )


def test_an_exception_for_a_stranger_is_refused(cast):
    with pytest.raises(Problem, match="no member"):
        overrides.set_override(
            organization=cast.acme, user=cast.charlie, code="org.view", effect=GRANT, actor=cast.alice
        )


def test_who_manages_a_projects_people_gives_no_more_than_they_have_there(cast, shop):
    """A Viewer of the project who may manage its people makes neither themselves nor others its Admin."""
    bob = give(cast, cast.bob, "project.members.manage", project=shop)
    for role in ("admin", "developer"):
        for user in (cast.bob, cast.vera):
            with pytest.raises(Problem, match=MORE):
                project_roles.set_person_role(user=user, project=shop, role=role, actor=bob)
        with pytest.raises(Problem, match=MORE):
            project_roles.set_team_role(team=cast.crew, project=shop, role=role, actor=bob)
    project_roles.set_person_role(user=cast.vera, project=shop, role="viewer", actor=bob)


def test_who_manages_a_projects_people_takes_no_more_than_they_have_there(cast, shop):
    bob = give(cast, cast.bob, "project.members.manage", project=shop)
    project_roles.set_person_role(user=cast.vera, project=shop, role="admin", actor=cast.alice)
    with pytest.raises(Problem, match=MORE):
        project_roles.set_person_role(user=cast.vera, project=shop, role=None, actor=bob)


def test_an_admin_of_one_project_has_no_say_in_another(cast, shop):
    other = make_project(cast.acme, "Other")
    project_roles.set_person_role(user=cast.bob, project=shop, role="admin", actor=cast.alice)
    bob = User.objects.get(pk=cast.bob.pk)
    project_roles.set_person_role(user=cast.vera, project=shop, role="admin", actor=bob)
    with pytest.raises(Problem, match=MORE):
        project_roles.set_person_role(user=cast.vera, project=other, role="admin", actor=bob)


def test_who_manages_teams_does_not_enter_one_that_can_do_more(cast, shop):
    admins = teams.create_team(organization=cast.acme, name="Admins", actor=cast.alice)
    project_roles.set_team_role(team=admins, project=shop, role="admin", actor=cast.alice)
    bob = give(cast, cast.bob, "org.teams.manage")
    for act in (
        lambda: teams.add_to_team(team=admins, user=bob, actor=bob),
        lambda: teams.add_to_team(team=admins, user=cast.vera, actor=bob),
        lambda: teams.delete_team(team=admins, actor=bob),
    ):
        with pytest.raises(Problem, match=MORE):
            act()
    assert "project.delete" not in codes_on(User.objects.get(pk=cast.bob.pk), shop)


def test_a_stranger_neither_enters_a_team_nor_takes_one_along(cast, shop):
    with pytest.raises(Problem, match="no member"):
        teams.add_to_team(team=cast.crew, user=cast.charlie, actor=cast.alice)
    theirs = teams.create_team(organization=cast.umbrella, name="Theirs", actor=cast.charlie)
    with pytest.raises(Problem, match="another organization"):
        project_roles.set_team_role(team=theirs, project=shop, role="viewer", actor=cast.alice)
    with pytest.raises(Problem, match=MORE):
        project_roles.set_team_role(team=cast.crew, project=shop, role="admin", actor=cast.charlie)


@pytest.mark.parametrize("role", ["owner", "", "ADMIN", "admin' --"])
def test_a_role_that_does_not_exist(cast, shop, role):
    with pytest.raises(ValueError, match="valid"):
        project_roles.set_person_role(user=cast.vera, project=shop, role=role, actor=cast.alice)


def test_two_teams_and_two_roles_have_two_names(cast):
    with pytest.raises(Conflict):
        teams.create_team(organization=cast.acme, name=cast.crew.name, actor=cast.alice)
    custom_roles.create_role(organization=cast.acme, name="R", codes=["org.view"], actor=cast.alice)
    with pytest.raises(Conflict):
        custom_roles.create_role(organization=cast.acme, name="R", codes=["org.view"], actor=cast.alice)
    assert teams.create_team(organization=cast.umbrella, name=cast.crew.name, actor=cast.charlie)


def test_whoever_is_nobody_in_the_organization_gives_nothing(cast, shop):
    nobody = make_person("Nobody")
    with pytest.raises(Problem, match=MORE):
        custom_roles.create_role(organization=cast.acme, name="X", codes=["org.view"], actor=nobody)
