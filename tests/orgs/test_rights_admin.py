"""Teams, roles and exceptions in the Django admin: by the services, with the same refusals."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import Event
from apps.orgs.models import CustomRole, CustomRoleAssignment, PermissionOverride, Team


@pytest.fixture
def staff(cast, sign_in):
    return sign_in(cast.sam)


def add(name):
    return reverse(f"admin:orgs_{name}_add")


def test_a_team_is_made_changed_and_deleted(cast, staff):
    data = {"organization": cast.acme.pk, "name": "Ops", "description": "", "colour": "blue"}
    assert staff.post(add("team"), data).status_code == 302
    team = Team.objects.get(name="Ops")
    change = reverse("admin:orgs_team_change", args=[team.pk])
    staff.post(change, {"name": "Operators", "description": "", "colour": "red", "organization": cast.umbrella.pk})
    team.refresh_from_db()
    assert (team.name, team.organization) == ("Operators", cast.acme)
    staff.post(reverse("admin:orgs_team_delete", args=[team.pk]), {"post": "yes"})
    assert not Team.objects.filter(pk=team.pk).exists()
    actions = set(Event.objects.filter(actor_id=cast.sam.pk).values_list("action", flat=True))
    assert actions >= {"team.created", "team.updated", "team.deleted"}


def test_a_role_is_made_given_and_taken(cast, staff):
    data = {"organization": cast.acme.pk, "name": "Auditor", "description": "", "codes": "org.audit.view,org.update"}
    assert staff.post(add("customrole"), data).status_code == 302
    role = CustomRole.objects.get()
    assert staff.post(add("customroleassignment"), {"role": role.pk, "user": cast.bob.pk}).status_code == 302
    assert User.objects.get(pk=cast.bob.pk).has_perm("org.audit.view", cast.acme)
    assignment = CustomRoleAssignment.objects.get()
    staff.post(reverse("admin:orgs_customroleassignment_delete", args=[assignment.pk]), {"post": "yes"})
    assert not User.objects.get(pk=cast.bob.pk).has_perm("org.audit.view", cast.acme)


@pytest.mark.parametrize("codes", ["portal.admin", "org.nonsense", ""])
def test_codes_that_nobody_can_give_are_refused(cast, staff, codes):
    data = {"organization": cast.acme.pk, "name": "Odd", "codes": codes}
    assert staff.post(add("customrole"), data).status_code == 200
    assert not CustomRole.objects.exists()


def test_the_owner_and_strangers_get_no_exception(cast, staff):
    for person in (cast.alice, cast.charlie):
        data = {"organization": cast.acme.pk, "user": person.pk, "code": "org.view", "effect": "deny"}
        staff.post(add("permissionoverride"), data)
    assert not PermissionOverride.objects.exists()


def test_an_exception_is_set_and_ended(cast, staff):
    data = {"organization": cast.acme.pk, "user": cast.bob.pk, "code": "org.update", "effect": "grant"}
    assert staff.post(add("permissionoverride"), data).status_code == 302
    assert User.objects.get(pk=cast.bob.pk).has_perm("org.update", cast.acme)
    override = PermissionOverride.objects.get()
    staff.post(reverse("admin:orgs_permissionoverride_change", args=[override.pk]), {"effect": "deny"})
    override.refresh_from_db()
    assert override.effect == "deny"
    staff.post(reverse("admin:orgs_permissionoverride_delete", args=[override.pk]), {"post": "yes"})
    assert not PermissionOverride.objects.exists()
