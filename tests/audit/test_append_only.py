"""The trail is only ever appended to, and holds no secret."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from apps.audit import retention, services
from apps.audit.models import AppendOnlyError, Event
from apps.core import clock


def test_nothing_changes_or_deletes_an_event(cast):
    event = Event.objects.first()
    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        event.delete()
    with pytest.raises(AppendOnlyError):
        Event.objects.all().delete()
    with pytest.raises(AppendOnlyError):
        Event.objects.update(action="nothing")


STATEMENTS = (
    "UPDATE audit_event SET action = 'nothing'",
    "UPDATE audit_event SET actor_name = 'Somebody else'",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_database_itself_refuses(cast, statement):
    before = list(Event.objects.values())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL oecsh.audit_may_truncate = 'off'")
    with pytest.raises(DatabaseError, match="only appended to"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(Event.objects.values()) == before


@pytest.mark.parametrize(
    "statement",
    [
        # What claims to be the retention does not reach the last month.
        "SET LOCAL oecsh.audit_expired_before = '2999-01-01'; DELETE FROM audit_event",
        # What claims to be an erasure changes no event of somebody else, and nothing but names.
        "SET LOCAL oecsh.audit_erased_person = '00000000-0000-4000-8000-000000000000';"
        " UPDATE audit_event SET actor_name = 'Nobody'",
        "SET LOCAL oecsh.audit_erased_person = '{actor}'; UPDATE audit_event SET action = 'x'",
        "SET LOCAL oecsh.audit_erased_person = '{actor}'; DELETE FROM audit_event WHERE actor_id = '{actor}'",
    ],
)
def test_the_ways_in_are_narrow(cast, statement):
    statement = statement.format(actor=cast.alice.pk)
    with pytest.raises(DatabaseError, match="only appended to"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_secrets_are_masked(cast):
    event = services.record(
        action="server.changed",
        actor=cast.alice,
        after={"private_key": "planted", "nested": {"api_token": "planted"}, "url": "https://a:planted@h/"},
    )
    event.refresh_from_db()
    assert "planted" not in str(event.after)


def test_the_event_outlives_the_person(cast):
    services.record(action="server.added", actor=cast.bob, target=cast.acme)
    cast.bob.delete()
    assert Event.objects.get(action="server.added").actor_name == "Bob"


def _record(days: int, **fields: object) -> Event:
    with clock.freeze(clock.now() - timedelta(days=days)):
        return services.record(action="test.happened", **fields)


def test_what_is_too_old_is_deleted_and_nothing_else(cast):
    ours, young = _record(100, organization_id=cast.acme.pk), _record(80, organization_id=cast.acme.pk)
    theirs, platforms = _record(100, organization_id=cast.umbrella.pk), _record(100)
    limit = clock.now() - timedelta(days=90)
    assert retention.delete_expired(before=limit, organization_id=cast.acme.pk) == 1
    left = set(Event.objects.values_list("pk", flat=True))
    assert ours.pk not in left
    assert {young.pk, theirs.pk, platforms.pk} <= left
    assert retention.delete_expired(before=limit, but=[cast.umbrella.pk]) == 1
    left = set(Event.objects.values_list("pk", flat=True))
    assert theirs.pk in left
    assert platforms.pk not in left


def test_after_the_retention_the_trail_is_closed_again(cast):
    _record(100)
    retention.delete_expired(before=clock.now() - timedelta(days=90))
    kept = _record(100)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_event WHERE id = %s", [kept.pk])


def test_a_person_is_erased_and_the_trail_still_reads(cast):
    bob = cast.bob
    done = services.record(
        action="a.done",
        actor=bob,
        target=cast.acme,
        after={"note": "Bob", "person": "Bob", "on": {"to": "bob@home.example"}},
    )
    suffered = services.record(action="a.suffered", actor=cast.alice, target=bob)
    named = services.record(action="a.named", actor=cast.alice, after={"people": "bob@example.com, vera@example.com"})
    other = services.record(action="a.other", actor=cast.vera, after={"person": "Bob"})
    erased = {"addresses": ["bob@example.com"], "unproven": ["bob@home.example"], "name": "Bob"}
    assert retention.erase_person(person_id=bob.pk, **erased) >= 3
    for event in (done, suffered, named, other):
        event.refresh_from_db()
    assert (done.actor_name, done.actor_id, done.target_name) == (retention.ERASED, bob.pk, "Acme")
    assert done.after == {"note": "Bob", "person": retention.ERASED, "on": {"to": retention.ERASED}}
    assert (suffered.target_name, suffered.actor_name) == (retention.ERASED, "Alice")
    assert named.after == {"people": f"{retention.ERASED}, vera@example.com"}
    assert (other.actor_name, other.after) == ("Vera", {"person": "Bob"})
    with pytest.raises(DatabaseError), transaction.atomic():
        done.save_erased()


NOBODY = uuid.UUID("00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize(
    "text",
    [
        "bob@example.com",
        "Said <bob@example.com>.",
        "a\nbob@example.com\tb",
        '"bob@example.com"',
        "x=bob@example.com, y",
    ],
)
def test_a_whole_address_is_erased_wherever_it_stands(cast, text):
    event = services.record(action="a.named", actor=cast.alice, after={"deep": {"people": text}})
    retention.erase_person(person_id=NOBODY, addresses=["bob@example.com"])
    event.refresh_from_db()
    assert event.after == {"deep": {"people": text.replace("bob@example.com", retention.ERASED)}}


@pytest.mark.parametrize(
    "text",
    [
        "jim-bob@example.com",
        "jimbob@example.com",
        "a+bob@example.com",
        "j.bob@example.com",
        "bob@example.com.au",
        "bob@example.com-x",
        "bob@example.community",
        "bob@examplexcom",
    ],
)
def test_an_address_within_another_is_kept_by_us_and_by_the_database(cast, text):
    event = services.record(action="a.named", actor=cast.alice, after={"people": text})
    retention.erase_person(person_id=NOBODY, addresses=["bob@example.com"])
    event.refresh_from_db()
    assert event.after == {"people": text}
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('oecsh.audit_erased_person', %s, true)", [str(NOBODY)])
        cursor.execute("""SELECT set_config('oecsh.audit_erased_words', '["bob@example.com"]', true)""")
    with pytest.raises(DatabaseError, match="only appended to"), transaction.atomic():
        event.save_erased()


def test_odd_characters_of_an_address_mean_themselves(cast):
    odd = "a.b*c+d{2}|e^f$g?h@example.com"
    ours = services.record(action="a.named", actor=cast.alice, after={"people": f"({odd})"})
    theirs = services.record(action="a.named", actor=cast.alice, after={"people": "e^f$g?h@example.com, axb"})
    assert retention.erase_person(person_id=NOBODY, addresses=[odd]) == 1
    ours.refresh_from_db()
    theirs.refresh_from_db()
    assert ours.after == {"people": f"({retention.ERASED})"}
    assert theirs.after == {"people": "e^f$g?h@example.com, axb"}


def test_a_name_erases_nobody_else(cast):
    """Whoever takes the name of a colleague, of an organization, or of any word takes nothing with them."""
    bob = cast.bob
    by_alice = services.record(action="a.done", actor=cast.alice, target=bob, after={"role": "Alice"})
    to_alice = services.record(action="a.done", actor=bob, target=cast.alice)
    retention.erase_person(person_id=bob.pk, addresses=[], name="Alice")
    by_alice.refresh_from_db()
    to_alice.refresh_from_db()
    assert (by_alice.actor_name, by_alice.after) == ("Alice", {"role": "Alice"})
    assert (to_alice.actor_name, to_alice.target_name) == (retention.ERASED, "Alice")
