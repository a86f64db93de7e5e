"""Nobody gives a view of projects that they do not have, and nobody goes on with rights that they lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from apps.accounts.models import User
from apps.core import clock
from apps.core.exceptions import Problem
from apps.orgs import custom_roles, invitations, members, overrides, project_roles
from apps.orgs.access import codes_on
from apps.orgs.models import CustomRole, Invitation, Membership, Organization, PermissionOverride
from apps.orgs.roles import Role
from tests.factories import make_project

GRANT, DENY = PermissionOverride.Effect.GRANT, PermissionOverride.Effect.DENY
PAGE = "/o/acme/settings/invitations/"


def membership(cast, user) -> Membership:
    return Membership.objects.get(organization=cast.acme, user=user)


def refused(code, act) -> None:
    with pytest.raises(Problem) as caught:
        act()
    assert caught.value.code == code


def give(cast, user, *codes) -> User:
    """A role of Acme's own for somebody, who is loaded anew."""
    name = f"Role {CustomRole.objects.count()}"
    role = custom_roles.create_role(organization=cast.acme, name=name, codes=codes, actor=cast.alice)
    custom_roles.give_role(role=role, user=user, actor=cast.alice)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def manager(cast) -> User:
    """Bob, a Developer on the Crew's projects, who manages members and roles."""
    return give(cast, cast.bob, "org.members.manage", "org.roles.manage")


@pytest.fixture
def hidden(cast):
    """A project of Acme on which the Crew is not."""
    project = make_project(cast.acme, "Hidden")
    project_roles.set_team_role(team=cast.crew, project=project, role=None, actor=cast.alice)
    return project


def test_nobody_widens_the_role_that_they_have(cast):
    """Anna has every right of an Admin but one, and a role that she could widen by what she was not meant to keep."""
    role = custom_roles.create_role(organization=cast.acme, name="R", codes=["org.view"], actor=cast.alice)
    custom_roles.give_role(role=role, user=cast.anna, actor=cast.alice)
    anna = User.objects.get(pk=cast.anna.pk)
    refused(
        "orgs.not_oneself",
        lambda: custom_roles.update_role(role=role, name="R", codes=["org.view", "org.update"], actor=anna),
    )
    role.refresh_from_db()
    assert role.codes == ["org.view"]
    custom_roles.update_role(role=role, name="R", codes=["org.update"], actor=cast.alice)


def test_a_role_for_every_project_is_given_by_who_sees_them_all(cast, manager, hidden):
    """To look at projects is in a Developer's role; on those of the Crew alone."""
    assert "project.view" in codes_on(manager, cast.acme)
    mine = custom_roles.create_role(organization=cast.acme, name="Eyes", codes=["project.view"], actor=manager)
    vera = cast.vera
    members.change_role(membership=membership(cast, vera), role="developer", actor=cast.alice)
    refused("orgs.more_than_own", lambda: custom_roles.give_role(role=mine, user=vera, actor=manager))
    custom_roles.give_role(role=mine, user=vera, actor=cast.alice)
    for act in (
        lambda: custom_roles.update_role(role=mine, name="Eyes", codes=["org.view"], actor=manager),
        lambda: custom_roles.delete_role(role=mine, actor=manager),
        lambda: custom_roles.take_role(assignment=mine.assignments.get(), actor=manager),
    ):
        refused("orgs.more_than_own", act)


def test_a_held_role_is_not_widened_to_every_project(cast, manager, hidden):
    role = custom_roles.create_role(organization=cast.acme, name="R", codes=["org.view"], actor=cast.alice)
    free = custom_roles.create_role(organization=cast.acme, name="Free", codes=["org.view"], actor=cast.alice)
    custom_roles.give_role(role=role, user=cast.vera, actor=cast.alice)

    def widen(one):
        return custom_roles.update_role(role=one, name=one.name, codes=["project.view"], actor=manager)

    refused("orgs.more_than_own", lambda: widen(role))
    assert widen(free).codes == ["project.view"]


@pytest.mark.parametrize("effect", [GRANT, DENY])
def test_an_exception_for_every_project_is_made_by_who_sees_them_all(cast, manager, hidden, effect):
    def make(actor):
        return overrides.set_override(
            organization=cast.acme, user=cast.vera, code="project.view", effect=effect, actor=actor
        )

    refused("orgs.more_than_own", lambda: make(manager))
    stored = make(cast.anna)
    refused("orgs.more_than_own", lambda: overrides.remove_override(override=stored, actor=manager))


def deny_on(cast, project, code, **more) -> User:
    """Anna, an Admin, may not do one thing on one project."""
    overrides.set_override(
        organization=cast.acme,
        user=cast.anna,
        code=code,
        effect=DENY,
        actor=cast.alice,
        project_id=project.pk,
        **more,
    )
    return User.objects.get(pk=cast.anna.pk)


@pytest.mark.parametrize("code", ["project.view", "project.environments.shell"])
def test_what_is_taken_on_one_project_is_not_given_everywhere(cast, hidden, code):
    """It would count on that project too, and somebody could be Anna's other self."""
    role = custom_roles.create_role(organization=cast.acme, name="R", codes=[code], actor=cast.alice)
    anna, other = deny_on(cast, hidden, code), make_project(cast.acme, "Other")
    for effect in (GRANT, DENY):
        refused(
            "orgs.more_than_own",
            lambda effect=effect: overrides.set_override(
                organization=cast.acme, user=cast.bob, code=code, effect=effect, actor=anna
            ),
        )
    refused("orgs.more_than_own", lambda: custom_roles.give_role(role=role, user=cast.bob, actor=anna))
    refused(
        "orgs.more_than_own",
        lambda: custom_roles.give_role(role=role, user=cast.bob, actor=anna, project_id=hidden.pk),
    )
    assert custom_roles.give_role(role=role, user=cast.bob, actor=anna, project_id=other.pk).on_project == other.pk
    refused("orgs.role_beyond_own", lambda: invitations.invite(organization=cast.acme, role="admin", actor=anna))
    vera = membership(cast, cast.vera)
    refused("orgs.role_beyond_own", lambda: members.change_role(membership=vera, role="admin", actor=anna))
    free = custom_roles.create_role(organization=cast.acme, name="Free", codes=[code], actor=anna)
    assert not free.assignments.exists(), "what nobody has may be written"


def test_what_is_taken_on_one_project_leaves_the_rest(cast, hidden):
    """What she has on every project Anna gives everywhere, and so does she once the exception is over."""
    anna = deny_on(cast, hidden, "project.environments.shell", expires_at=clock.now() + timedelta(hours=1))
    assert invitations.invite(organization=cast.acme, role="viewer", actor=anna).pk
    for code in ("project.view", "org.servers.shell"):
        assert overrides.set_override(organization=cast.acme, user=cast.bob, code=code, effect=GRANT, actor=anna).pk
    with clock.freeze(clock.now() + timedelta(hours=2)):
        anna = User.objects.get(pk=cast.anna.pk)
        assert invitations.invite(organization=cast.acme, role="admin", actor=anna).pk


def test_from_the_owner_and_portal_admins_nothing_is_taken(cast, hidden):
    PermissionOverride.objects.create(
        organization=cast.acme, user=cast.alice, code="project.view", effect=DENY, on_project=hidden.pk
    )
    for actor in (cast.alice, cast.sam):
        actor = User.objects.get(pk=actor.pk)
        assert invitations.invite(organization=cast.acme, role="admin", actor=actor).pk


def test_an_invitation_gives_no_more_than_its_readers_have_on_each_project(
    cast, hidden, sign_in, django_capture_on_commit_callbacks
):
    """Who is kept from one project loses the codes that lead there: those they wrote, and those they saw."""
    seen = invitations.invite(organization=cast.acme, role="admin", actor=cast.alice, max_uses=5)
    theirs = invitations.invite(organization=cast.acme, role="admin", actor=User.objects.get(pk=cast.anna.pk))
    code = seen.code
    assert code in sign_in(cast.anna).get(PAGE).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        anna = deny_on(cast, hidden, "project.view")
    assert invitations.find_by_code(code) is None
    assert Invitation.objects.get(pk=theirs.pk).state == "revoked"
    seen.refresh_from_db()
    assert seen.code not in sign_in(anna).get(PAGE).content.decode()
    refused("orgs.role_beyond_own", lambda: invitations.renew(invitation=seen, actor=anna))


def test_a_role_that_sees_all_projects_is_neither_given_nor_taken_by_who_does_not(cast, manager, hidden):
    refused("orgs.role_beyond_own", lambda: invitations.invite(organization=cast.acme, role="viewer", actor=manager))
    vera = membership(cast, cast.vera)
    refused("orgs.role_beyond_own", lambda: members.change_role(membership=vera, role="developer", actor=manager))
    refused("orgs.role_beyond_own", lambda: members.remove_member(membership=vera, actor=manager))
    refused(
        "orgs.not_oneself",
        lambda: members.change_role(membership=membership(cast, manager), role="viewer", actor=manager),
    )
    members.leave(organization=cast.acme, user=manager)


def test_an_invitation_to_hidden_projects_is_neither_shown_nor_used(cast, manager, hidden, sign_in):
    invitation = invitations.invite(
        organization=cast.acme, role="developer", actor=cast.alice, projects=[hidden], max_uses=5
    )
    page = sign_in(manager).get(PAGE).content.decode()
    assert invitation.code not in page
    assert "Hidden" not in page
    refused("orgs.more_than_own", lambda: invitations.renew(invitation=invitation, actor=manager))
    refused(
        "orgs.more_than_own",
        lambda: invitations.invite(organization=cast.acme, role="developer", actor=manager, projects=[hidden]),
    )
    page = sign_in(cast.anna).get(PAGE).content.decode()
    assert invitation.code in page
    assert "Hidden" in page


def test_rights_that_were_looked_up_before_the_lock_count_no_more(cast):
    """The person object still remembers what it could; in between somebody took it."""
    anna, alice = User.objects.get(pk=cast.anna.pk), User.objects.get(pk=cast.alice.pk)
    invitation = invitations.invite(organization=cast.acme, role="viewer", actor=cast.alice)
    assert anna.has_perm("org.members.manage", cast.acme)
    assert alice.has_perm("org.ownership.transfer", cast.acme)
    members.change_role(
        membership=membership(cast, cast.anna), role="developer", actor=User.objects.get(pk=cast.alice.pk)
    )
    bob, vera = membership(cast, cast.bob), membership(cast, cast.vera)
    for act in (
        lambda: members.change_role(membership=bob, role="viewer", actor=anna),
        lambda: members.remove_member(membership=vera, actor=anna),
        lambda: invitations.invite(organization=cast.acme, role="developer", actor=anna),
        lambda: invitations.renew(invitation=invitation, actor=anna),
    ):
        anna.has_perm("org.members.manage", cast.acme)
        with pytest.raises(PermissionDenied):
            act()
    acme = Organization.objects.get(pk=cast.acme.pk)
    members.transfer_ownership(organization=acme, to=bob, confirmation="Acme", actor=User.objects.get(pk=alice.pk))
    with pytest.raises(PermissionDenied):
        members.transfer_ownership(organization=acme, to=vera, confirmation="Acme", actor=alice)
    assert membership(cast, cast.bob).role == Role.OWNER


def test_a_right_that_was_remembered_is_not_given(cast):
    anna = User.objects.get(pk=cast.anna.pk)
    assert anna.has_perm("org.servers.shell", cast.acme)
    overrides.set_override(
        organization=cast.acme, user=cast.anna, code="org.servers.shell", effect=DENY, actor=cast.alice
    )
    refused(
        "orgs.more_than_own",
        lambda: custom_roles.create_role(organization=cast.acme, name="Shell", codes=["org.servers.shell"], actor=anna),
    )


def test_an_exception_ends_within_ten_years(cast, sign_in):
    def make(end):
        return overrides.set_override(
            organization=cast.acme, user=cast.bob, code="org.update", effect=GRANT, actor=cast.alice, expires_at=end
        )

    refused("orgs.ends_too_late", lambda: make(clock.now().replace(year=9999, month=12, day=31)))
    refused("orgs.ends_too_late", lambda: make(clock.now() + timedelta(days=3660)))
    assert make(clock.now() + timedelta(days=3600)).pk
    assert sign_in(cast.bob).get("/o/acme/").status_code == 200


def test_an_invitation_is_not_renewed_for_longer_than_one_is_written(cast):
    invitation = invitations.invite(organization=cast.acme, role="viewer", actor=cast.alice)
    with pytest.raises(Exception, match="1 to 30 days"):
        invitations.renew(invitation=invitation, actor=cast.alice, days=3_000_000)
