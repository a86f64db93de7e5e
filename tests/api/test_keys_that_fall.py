"""Keys fall with the key that made them and with the membership of their person, and none lives for ever by a date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.api import keys
from apps.api.models import ApiKey
from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Problem
from apps.core.templatetags.core import relative_time
from apps.orgs import members, services
from apps.orgs.models import Membership
from apps.orgs.roles import Role
from tests.api.conftest import Program, make_program


def made_with(program: Program, name: str) -> Program:
    """A key that the program makes for itself."""
    answer = program.post("/api-keys", {"name": name, "kind": "rw"})
    assert answer.status_code == 201, answer.content
    return Program(ApiKey.objects.get(pk=answer.json()["id"]), answer.json()["key"])


def error_of(program: Program) -> str:
    return program.get("/me").json().get("error", "")


def test_what_a_key_made_falls_with_it(cast, alice):
    child = made_with(alice, "Child")
    grandchild = made_with(child, "Grandchild")
    other = make_program(cast.acme, cast.alice)
    assert grandchild.key.made_with == child.key
    keys.revoke_key(key=alice.key, actor=cast.anna)
    assert [error_of(one) for one in (alice, child, grandchild, other)] == ["key_revoked"] * 3 + [""]
    assert Event.objects.filter(action="api_key.revoked", actor_id=cast.anna.pk).count() == 3


def test_what_was_made_falls_also_where_the_one_between_was_revoked_alone(cast, alice):
    child = made_with(alice, "Child")
    grandchild = made_with(child, "Grandchild")
    ApiKey.objects.filter(pk=child.key.pk).update(revoked_at=clock.now())
    keys.revoke_key(key=alice.key, actor=cast.alice)
    assert error_of(grandchild) == "key_revoked"


def test_a_revoked_key_makes_none_even_where_the_request_was_under_way(cast, alice):
    keys.revoke_key(key=alice.key, actor=cast.alice)
    with pytest.raises(Problem) as caught:
        make_program(cast.acme, cast.alice, made_with=alice.key)
    assert caught.value.code == "api.maker_is_over"


@pytest.mark.parametrize("way", ["removed", "row"])
def test_who_is_invited_again_begins_without_the_keys_of_before(cast, program, way):
    annas, alices = program(cast.acme, cast.anna), program(cast.acme, cast.alice)
    membership = Membership.objects.get(user=cast.anna, organization=cast.acme)
    if way == "removed":
        members.remove_member(membership=membership, actor=cast.alice)
    else:
        membership.delete()
    services.add_member(organization=cast.acme, user=cast.anna, role=Role.ADMIN, actor=cast.alice)
    assert (error_of(annas), error_of(alices)) == ("key_revoked", "")
    assert Event.objects.get(action="api_key.revoked").target_id == annas.key.pk


def test_keys_of_another_organization_stay(cast, program):
    services.add_member(organization=cast.umbrella, user=cast.anna, role=Role.ADMIN, actor=cast.charlie)
    there = program(cast.umbrella, cast.anna)
    Membership.objects.get(user=cast.anna, organization=cast.acme).delete()
    assert there.get("/me").status_code == 200


def test_a_person_who_is_erased_takes_the_keys_along(cast, program):
    program(cast.acme, cast.vera)
    cast.vera.delete()
    assert ApiKey.objects.count() == 0


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "2099-01-01T00:00:00Z"])
def test_an_expiry_far_away_is_refused(alice, moment):
    answer = alice.post("/api-keys", {"name": "Long", "expires_at": moment})
    assert answer.status_code == 422


def test_an_expiry_within_ten_years_is_not(cast, program):
    assert program(cast.acme, cast.alice, expires_at=clock.now() + timedelta(days=3650)).get("/me").status_code == 200
    with pytest.raises(Problem) as caught:
        program(cast.acme, cast.alice, expires_at=clock.now() + timedelta(days=3660))
    assert caught.value.code == "api.expiry_too_far"


def test_a_stored_time_at_the_end_of_the_calendar_is_shown():
    with timezone.override("Asia/Tokyo"):
        assert "9999-12-31" in relative_time(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
