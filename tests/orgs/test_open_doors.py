"""Who goes does not come back by a door that they knew, and nobody finds one by trying."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache

from apps.accounts import verification
from apps.accounts.models import User
from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.orgs import custom_roles, guessing, invitations, members, overrides
from apps.orgs.models import Invitation, Membership, PermissionOverride
from tests.cast import make_person


@pytest.fixture(autouse=True)
def _no_counted_guesses():
    cache.clear()


def invite(cast, **more) -> Invitation:
    return invitations.invite(organization=cast.acme, **({"actor": cast.alice, "role": "developer"} | more))


def remove(cast, user, actor) -> None:
    members.remove_member(membership=Membership.objects.get(organization=cast.acme, user=user), actor=actor)


def state(invitation) -> str:
    invitation.refresh_from_db()
    return invitation.state


def lets_nobody_in(invitation, user) -> None:
    with pytest.raises(Conflict) as caught:
        invitations.accept(invitation=invitation, user=user)
    assert caught.value.code == "orgs.invitation_over"


def test_who_was_removed_does_not_come_back_by_the_way_they_came(cast):
    used, other = invite(cast, max_uses=10), invite(cast, max_uses=10)
    dora = make_person("Dora")
    invitations.accept(invitation=used, user=dora)
    remove(cast, dora, cast.anna)
    assert (state(used), state(other)) == ("revoked", "pending")
    lets_nobody_in(used, dora)
    lets_nobody_in(used, make_person("Dora2"))
    assert Event.objects.filter(action="invitation.revoked", actor_id=cast.anna.pk).count() == 1


def test_who_left_needs_a_new_invitation_and_closes_nobody_elses(cast):
    used = invite(cast, max_uses=10)
    dora = make_person("Dora")
    invitations.accept(invitation=used, user=dora)
    members.leave(organization=cast.acme, user=dora)
    assert state(used) == "pending"
    lets_nobody_in(used, dora)
    invitations.accept(invitation=used, user=make_person("Emil"))


@pytest.mark.parametrize("leaves", [True, False])
def test_who_could_read_the_codes_leaves_none_behind(cast, leaves):
    code, mail, old = invite(cast, max_uses=10), invite(cast, email="dora@example.com"), invite(cast, days=1)
    Invitation.objects.filter(pk=old.pk).update(expires_at=clock.now() - timedelta(days=1))
    if leaves:
        members.leave(organization=cast.acme, user=cast.anna)
    else:
        remove(cast, cast.anna, cast.alice)
    assert [state(one) for one in (code, mail, old)] == ["revoked", "pending", "revoked"]
    lets_nobody_in(code, cast.anna)
    assert Event.objects.filter(action="invitation.revoked").count() == 2


def test_an_invitation_falls_with_the_right_to_write_it(cast):
    """The right came from a role of Acme's own, or was taken by an exception: no change of membership tells."""
    role = custom_roles.create_role(
        organization=cast.acme, name="Recruiter", codes=["org.members.manage"], actor=cast.alice
    )
    custom_roles.give_role(role=role, user=cast.bob, actor=cast.alice)
    theirs = invite(cast, actor=User.objects.get(pk=cast.bob.pk), max_uses=5)
    annas = invite(cast, actor=cast.anna, max_uses=5)
    for one in (theirs, annas):
        invitations.accept(invitation=one, user=make_person(f"P{one.pk.hex[:6]}"))
    custom_roles.take_role(assignment=role.assignments.get(), actor=cast.alice)
    overrides.set_override(
        organization=cast.acme,
        user=cast.anna,
        code="org.members.manage",
        effect=PermissionOverride.Effect.DENY,
        actor=cast.alice,
    )
    for one in (theirs, annas):
        lets_nobody_in(one, cast.charlie)
    platforms = invite(cast, actor=cast.sam)
    assert invitations.accept(invitation=platforms, user=cast.charlie).role == "developer"


def test_an_account_that_anybody_could_make_tries_no_code(cast, sign_in):
    invitation = invite(cast)
    client = sign_in(cast.charlie)
    verification.start_waiting(cast.charlie)
    cast.charlie.save()
    answer = client.post("/join/", {"code": invitation.code})
    assert answer.status_code == 403
    assert "not confirmed" in answer.content.decode()
    verification.confirmed(cast.charlie, cast.charlie.email)
    assert client.post("/join/", {"code": invitation.code}).status_code == 302


def test_all_addresses_of_one_network_are_one(cast):
    """A customer of a provider has 2 to the 64th of them."""
    for number in range(guessing.PER_ADDRESS):
        guessing.ensure_may_try(person(number), f"2001:db8:1:2::{number:x}")
    with pytest.raises(Problem, match="Too many"):
        guessing.ensure_may_try(person("x"), "2001:db8:1:2:ffff:ffff:ffff:ffff")
    guessing.ensure_may_try(person("y"), "2001:db8:1:3::1")
    for address in ("::ffff:203.0.113.7", "203.0.113.8", "", "no address"):
        guessing.ensure_may_try(person("z"), address)


def test_ever_so_many_accounts_and_addresses_get_no_further(cast):
    for number in range(guessing.OF_ALL):
        guessing.ensure_may_try(person(number), f"10.0.{number // 250}.{number % 250}")
    guessing.take_back(person(0), "10.0.0.0")
    guessing.ensure_may_try(person("right"), "10.1.0.1")
    with pytest.raises(Problem, match="Too many"):
        guessing.ensure_may_try(person("late"), "10.1.0.2")


def test_one_who_is_refused_shuts_out_nobody_else(cast):
    for number in range(guessing.OF_ALL + 10):
        try:
            guessing.ensure_may_try(person("one"), "10.0.0.1")
        except Problem:
            assert number >= guessing.PER_PERSON
    guessing.ensure_may_try(person("other"), "10.0.0.2")


def test_a_right_code_in_the_moment_when_the_hour_ends(cast):
    guessing.ensure_may_try(person(1), "10.0.0.1")
    cache.clear()
    guessing.take_back(person(1), "10.0.0.1")


def person(key) -> SimpleNamespace:
    """As much of somebody as is counted."""
    return SimpleNamespace(pk=key, is_authenticated=True, verify_by=None)
