"""Somebody who manages members by a custom role stays below those who can do more."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.core.exceptions import Problem
from apps.orgs import custom_roles, invitations
from apps.orgs.models import Membership
from apps.orgs.roles import Role

PAGE = "/o/acme/settings/invitations/"


@pytest.fixture
def recruiter(cast) -> User:
    """Bob, a Developer who manages members besides."""
    role = custom_roles.create_role(
        organization=cast.acme, name="Recruiter", codes=["org.members.manage"], actor=cast.alice
    )
    custom_roles.give_role(role=role, user=cast.bob, actor=cast.alice)
    return User.objects.get(pk=cast.bob.pk)


def role_of(cast, user) -> str:
    return Membership.objects.get(organization=cast.acme, user=user).role


@pytest.mark.parametrize("end", ["role", "remove"])
def test_an_admin_is_neither_demoted_nor_removed(cast, sign_in, recruiter, end):
    membership = Membership.objects.get(organization=cast.acme, user=cast.anna)
    answer = sign_in(recruiter).post(f"/o/acme/settings/members/{membership.pk}/{end}/", {"role": "viewer"})
    assert answer.status_code == 403
    assert role_of(cast, cast.anna) == Role.ADMIN


def test_nobody_is_made_admin(cast, sign_in, recruiter):
    client = sign_in(recruiter)
    for person in (cast.vera, cast.bob):
        membership = Membership.objects.get(organization=cast.acme, user=person)
        answer = client.post(f"/o/acme/settings/members/{membership.pk}/role/", {"role": "admin"})
        assert answer.status_code == 403
    assert role_of(cast, cast.vera) == Role.VIEWER
    assert role_of(cast, cast.bob) == Role.DEVELOPER
    assert client.post(PAGE, {"role": "admin", "days": 3, "max_uses": 1}).status_code == 422
    with pytest.raises(Problem) as caught:
        invitations.invite(organization=cast.acme, role="admin", actor=recruiter)
    assert caught.value.code == "orgs.role_beyond_own"


def test_the_code_of_an_admins_invitation_is_not_shown_and_not_renewed(cast, sign_in, recruiter):
    invitation = invitations.invite(organization=cast.acme, role="admin", actor=cast.alice)
    theirs = invitations.invite(organization=cast.acme, role="developer", actor=recruiter)
    client = sign_in(recruiter)
    page = client.get(PAGE).content.decode()
    assert invitation.code not in page
    assert invitation.link_token not in page
    assert theirs.code in page
    assert client.post(f"{PAGE}{invitation.pk}/resend/").status_code == 403


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_joining_leads_nowhere_else(cast, sign_in, target):
    invitation = invitations.invite(organization=cast.acme, role="viewer", actor=cast.alice, max_uses=2)
    link = f"/join/{invitation.link_token}/?next={target}"
    assert "evil.example" not in Client().get(link).content.decode()
    assert Client().post(link, {"next": target}).url == f"/join/{invitation.link_token}/"
    client = sign_in(cast.charlie)
    code = {"code": invitation.code, "next": target}
    assert client.post(f"/join/?next={target}", code).url == f"/join/{invitation.link_token}/"
    assert client.post(link, {"next": target}).url == "/o/acme/"
