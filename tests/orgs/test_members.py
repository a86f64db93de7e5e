"""Members: roles, removal, leaving, and the Owner, of whom there is one at every moment."""

from __future__ import annotations

import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.audit.models import Event
from apps.core.exceptions import Conflict, Problem
from apps.orgs import invitations, members
from apps.orgs.models import Membership, Organization
from apps.orgs.roles import Role
from tests.cast import make_cast, make_person


def membership(organization, user) -> Membership:
    return Membership.objects.get(organization=organization, user=user)


def address(cast, user, end) -> str:
    return f"/o/acme/settings/members/{membership(cast.acme, user).pk}/{end}/"


def test_a_new_role_holds_at_once(cast, sign_in):
    bob = sign_in(cast.bob)
    assert bob.get("/o/acme/settings/invitations/").status_code == 403
    answer = sign_in(cast.anna).post(address(cast, cast.bob, "role"), {"role": "admin"})
    assert answer.status_code == 302
    assert bob.get("/o/acme/settings/invitations/").status_code == 200
    event = Event.objects.filter(action="member.role_changed").first()
    assert (event.actor_id, event.before, event.after) == (cast.anna.pk, {"role": "developer"}, {"role": "admin"})


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("vera", 403), ("charlie", 404)])
@pytest.mark.parametrize("end", ["role", "remove"])
def test_who_may_not_manage_members_changes_nobody(cast, sign_in, who, status, end):
    client = sign_in(getattr(cast, who))
    assert client.post(address(cast, cast.vera, end), {"role": "admin"}).status_code == status
    assert membership(cast.acme, cast.vera).role == Role.VIEWER


def test_nobody_raises_their_own_role(cast, sign_in):
    assert sign_in(cast.bob).post(address(cast, cast.bob, "role"), {"role": "admin"}).status_code == 403
    assert sign_in(cast.anna).post(address(cast, cast.anna, "role"), {"role": "owner"}).status_code == 422
    assert membership(cast.acme, cast.bob).role == Role.DEVELOPER
    assert membership(cast.acme, cast.anna).role == Role.ADMIN


@pytest.mark.parametrize("end", ["role", "remove"])
@pytest.mark.parametrize("who", ["alice", "anna", "sam"])
def test_the_owner_is_neither_removed_nor_demoted(cast, sign_in, who, end):
    answer = sign_in(getattr(cast, who)).post(address(cast, cast.alice, end), {"role": "viewer"})
    assert answer.status_code in (404, 422)
    assert membership(cast.acme, cast.alice).role == Role.OWNER


@pytest.mark.parametrize("role", ["", "emperor", "owner\0", "OWNER"])
def test_an_unknown_role_changes_nothing(cast, sign_in, role):
    assert sign_in(cast.alice).post(address(cast, cast.bob, "role"), {"role": role}).status_code == 302
    assert membership(cast.acme, cast.bob).role == Role.DEVELOPER


def test_a_member_of_another_organization_is_not_found(cast, sign_in):
    theirs = membership(cast.umbrella, cast.charlie)
    for end in ("role", "remove"):
        answer = sign_in(cast.alice).post(f"/o/acme/settings/members/{theirs.pk}/{end}/", {"role": "viewer"})
        assert answer.status_code == 404


def test_who_is_removed_is_a_stranger_at_once_and_their_invitations_are_revoked(cast, sign_in):
    anna = sign_in(cast.anna)
    invitation = invitations.invite(organization=cast.acme, role="admin", actor=cast.anna)
    assert anna.get("/o/acme/").status_code == 200
    assert sign_in(cast.alice).post(address(cast, cast.anna, "remove")).status_code == 302
    assert anna.get("/o/acme/").status_code == 404
    invitation.refresh_from_db()
    assert invitation.state == "revoked"
    with pytest.raises(Conflict):
        invitations.accept(invitation=invitation, user=cast.anna)


def test_a_second_removal_is_told(cast):
    gone = membership(cast.acme, cast.bob)
    members.remove_member(membership=gone, actor=cast.alice)
    with pytest.raises(Conflict) as caught:
        members.remove_member(membership=Membership(pk=gone.pk, organization=cast.acme), actor=cast.alice)
    assert caught.value.code == "orgs.no_longer_a_member"


def test_a_member_leaves_and_the_owner_stays(cast, sign_in):
    assert sign_in(cast.vera).post("/o/acme/settings/members/leave/").status_code == 302
    assert not Membership.objects.filter(user=cast.vera).exists()
    assert Event.objects.filter(action="member.left", actor_id=cast.vera.pk).count() == 1
    assert sign_in(cast.alice).post("/o/acme/settings/members/leave/").status_code == 422
    assert membership(cast.acme, cast.alice).role == Role.OWNER
    assert sign_in(cast.charlie).post("/o/acme/settings/members/leave/").status_code == 404


def test_ownership_is_transferred_by_the_owner_who_types_the_name(cast, sign_in):
    heir = membership(cast.acme, cast.bob)
    page = "/o/acme/settings/ownership/"
    assert sign_in(cast.anna).get(page).status_code == 403
    alice = sign_in(cast.alice)
    assert alice.post(page, {"member": heir.pk, "confirm_name": "acme"}).status_code == 422
    assert membership(cast.acme, cast.alice).role == Role.OWNER
    assert alice.post(page, {"member": heir.pk, "confirm_name": "Acme"}).status_code == 302
    assert membership(cast.acme, cast.bob).role == Role.OWNER
    assert membership(cast.acme, cast.alice).role == Role.ADMIN
    assert alice.get(page).status_code == 403
    assert Event.objects.filter(action="organization.ownership_transferred").count() == 1


def test_ownership_goes_to_nobody_from_outside_or_without_an_account_that_works(cast, sign_in):
    alice = sign_in(cast.alice)
    stranger = membership(cast.umbrella, cast.charlie)
    answer = alice.post("/o/acme/settings/ownership/", {"member": stranger.pk, "confirm_name": "Acme"})
    assert answer.status_code == 422
    cast.bob.is_active = False
    cast.bob.save()
    with pytest.raises(Problem) as caught:
        members.transfer_ownership(
            organization=cast.acme, to=membership(cast.acme, cast.bob), confirmation="Acme", actor=cast.alice
        )
    assert caught.value.code == "orgs.new_owner_not_able"
    with pytest.raises(Conflict):
        members.transfer_ownership(organization=cast.acme, to=stranger, confirmation="Acme", actor=cast.alice)
    assert membership(cast.acme, cast.alice).role == Role.OWNER


@pytest.mark.django_db(transaction=True)
def test_two_transfers_at_once_leave_one_owner():
    cast = make_cast()
    heirs = [membership(cast.acme, person) for person in (cast.anna, cast.bob, cast.vera)]
    failures: list[Exception] = []

    def transfer(heir: Membership) -> None:
        try:
            organization, alice = Organization.objects.get(pk=cast.acme.pk), User.objects.get(pk=cast.alice.pk)
            members.transfer_ownership(organization=organization, to=heir, confirmation="Acme", actor=alice)
        except Exception as failure:
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=transfer, args=[heir]) for heir in heirs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The two that came later were not the Owner's word any more.
    assert [type(failure) for failure in failures] == [PermissionDenied, PermissionDenied]
    assert Membership.objects.filter(organization=cast.acme, role=Role.OWNER).count() == 1


def test_the_list_has_a_constant_number_of_queries(cast, sign_in):
    alice = sign_in(cast.alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert alice.get("/o/acme/settings/members/").status_code == 200
        return len(captured)

    queries()
    few = queries()
    for number in range(30):
        Membership.objects.create(organization=cast.acme, user=make_person(f"P{number}"), role=Role.VIEWER)
    queries()  # what is remembered about rights was dropped
    assert queries() == few


def test_names_are_words_and_never_markup(cast, sign_in):
    cast.bob.display_name = "<script>alert(1)</script>"
    cast.bob.save()
    page = sign_in(cast.alice).get("/o/acme/settings/members/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_list_is_searched(cast, sign_in):
    page = sign_in(cast.alice).get("/o/acme/settings/members/", {"q": "VERA\0"}).content.decode()
    assert "vera@example.com" in page
    assert "bob@example.com" not in page


def test_the_list_offers_nobody_another_role_for_themselves(cast, sign_in):
    page = sign_in(cast.anna).get("/o/acme/settings/members/").content.decode()
    assert address(cast, cast.bob, "role") in page
    assert address(cast, cast.anna, "role") not in page


def test_the_list_is_narrowed_to_a_role_and_sorted(cast, sign_in):
    def people(**query: str) -> list[str]:
        answer = sign_in(cast.vera).get("/o/acme/settings/members/", query)
        return [str(row.user) for row in answer.context["page"]]

    assert people() == ["Alice", "Anna", "Bob", "Vera"]
    assert people(role="developer") == ["Bob"]
    assert people(sort="-email") == ["Vera", "Bob", "Anna", "Alice"]
    assert people(sort="-role")[-1] == "Alice"
    assert people(role="nothing", sort="user__password") == people()
    assert people(role="developer", q="vera") == []
