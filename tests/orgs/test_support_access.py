"""Platform staff come in by the Owner's consent, for a time, or for an emergency of which the Owner is told."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.orgs import support, support_mails
from apps.orgs.models import Organization, SupportAccess
from apps.orgs.signals import rights_changed
from tests.cast import make_person

REASON = "The payroll module does not start"


@contextlib.contextmanager
def refused(code: str):
    with pytest.raises(Problem) as caught:
        yield
    assert caught.value.code == code


@pytest.fixture
def sam(cast):
    """Staff without any way in: what the cast has is ended."""
    SupportAccess.objects.all().delete()
    return cast.sam


@pytest.fixture
def asked(cast, sam) -> SupportAccess:
    return support.ask(organization=cast.acme, staff=sam, reason=REASON, minutes=240)


def _sees(person, organization) -> bool:
    return Organization.objects.visible_to(person).filter(pk=organization.pk).exists()


def _actions(organization) -> list[str]:
    events = Event.objects.filter(organization_id=organization.pk, action__startswith="support.")
    return list(events.order_by("created_at").values_list("action", flat=True))


def test_without_consent_staff_see_nothing(cast, sam, sign_in):
    assert not _sees(sam, cast.acme)
    assert sign_in(sam).get("/o/acme/").status_code == 404


def test_asking_opens_nothing(cast, sam, asked):
    assert asked.state == "waiting"
    assert not _sees(sam, cast.acme)
    assert _actions(cast.acme) == ["support.asked"]


def test_consent_opens_for_the_time_and_no_longer(cast, sam, asked, sign_in):
    access = support.grant(access=asked, actor=cast.alice, minutes=60)
    assert (access.state, access.granted_by) == ("active", cast.alice)
    assert access.expires_at - access.granted_at == timedelta(minutes=60)
    assert _sees(sam, cast.acme)
    assert not _sees(sam, cast.umbrella)
    assert sign_in(sam).get("/o/acme/").status_code == 200
    with clock.freeze(access.expires_at + timedelta(seconds=1)):
        assert access.state == "expired"
        assert not _sees(sam, cast.acme)
        assert sign_in(sam).get("/o/acme/").status_code == 404


def test_nobody_is_let_in_for_longer_than_was_asked(cast, asked):
    assert support.grant(access=asked, actor=cast.alice, minutes=7 * 24 * 60).minutes == 240


def test_the_owner_ends_it_at_once(cast, sam, asked, sign_in):
    access = support.grant(access=asked, actor=cast.alice)
    assert sign_in(cast.alice).post(f"/o/acme/settings/support/{access.pk}/end/").status_code == 302
    assert not _sees(sam, cast.acme)
    assert _actions(cast.acme) == ["support.asked", "support.granted", "support.ended"]


def test_open_pages_are_told(cast, sam, asked, django_capture_on_commit_callbacks):
    heard: list[tuple[frozenset, object]] = []

    def listen(user_ids, organization_id, **_: object) -> None:
        heard.append((user_ids, organization_id))

    rights_changed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            access = support.grant(access=asked, actor=cast.alice)
        with django_capture_on_commit_callbacks(execute=True):
            support.end(access=access, actor=cast.alice)
    finally:
        rights_changed.disconnect(listen)
    assert heard == [(frozenset([sam.pk]), cast.acme.pk)] * 2


def test_staff_end_it_themselves(cast, sam, asked):
    support.end(access=support.grant(access=asked, actor=cast.alice), actor=sam)
    assert not _sees(sam, cast.acme)


def test_a_refusal_stays_one(cast, sam, asked):
    support.refuse(access=asked, actor=cast.alice)
    asked.refresh_from_db()
    assert asked.state == "refused"
    with pytest.raises(Conflict):
        support.grant(access=asked, actor=cast.alice)
    assert not _sees(sam, cast.acme)


@pytest.mark.parametrize("person", ["anna", "bob", "vera", "charlie", "sam"])
def test_only_the_owner_consents(cast, asked, person):
    with pytest.raises(PermissionDenied):
        support.grant(access=asked, actor=getattr(cast, person))
    with pytest.raises(PermissionDenied):
        support.refuse(access=asked, actor=getattr(cast, person))
    asked.refresh_from_db()
    assert asked.state == "waiting"


@pytest.mark.parametrize("person", ["bob", "vera", "charlie"])
def test_who_may_not_end_it(cast, asked, person):
    access = support.grant(access=asked, actor=cast.alice)
    with pytest.raises(PermissionDenied):
        support.end(access=access, actor=getattr(cast, person))


@pytest.mark.parametrize("person", ["alice", "bob", "charlie"])
def test_only_staff_ask(cast, sam, person):
    for service in (support.ask, support.take_in_emergency):
        with pytest.raises(PermissionDenied):
            service(organization=cast.umbrella, staff=getattr(cast, person), reason=REASON, minutes=60)
    assert not SupportAccess.objects.exists()


@pytest.mark.parametrize("minutes", [0, -5, 14, 7 * 24 * 60 + 1])
def test_times_have_limits(cast, sam, minutes):
    with refused("orgs.support_minutes"):
        support.ask(organization=cast.acme, staff=sam, reason=REASON, minutes=minutes)


@pytest.mark.parametrize("reason", ["", " ", "two\nlines of a reason", "x" * 501, "reversed \u202e text"])
def test_reasons_are_plain_text(cast, sam, reason):
    with pytest.raises((ValidationError, Problem)):
        support.ask(organization=cast.acme, staff=sam, reason=reason, minutes=60)
    with pytest.raises((ValidationError, Problem)):
        support.take_in_emergency(organization=cast.acme, staff=sam, reason=reason, minutes=60)


def test_an_emergency_needs_words_and_is_short(cast, sam):
    with refused("orgs.support_reason_too_short"):
        support.take_in_emergency(organization=cast.acme, staff=sam, reason="urgent", minutes=60)
    with refused("orgs.support_minutes"):
        support.take_in_emergency(organization=cast.acme, staff=sam, reason=REASON, minutes=5 * 60)
    access = support.take_in_emergency(organization=cast.acme, staff=sam, reason=REASON, minutes=60)
    assert (access.state, access.granted_by) == ("active", None)
    assert _sees(sam, cast.acme)
    event = Event.objects.get(action="support.emergency_begun")
    assert (event.actor_id, event.organization_id, event.after["reason"]) == (sam.pk, cast.acme.pk, REASON)


def test_an_emergency_does_not_wait_for_an_answer(cast, sam, asked):
    assert support.take_in_emergency(organization=cast.acme, staff=sam, reason=REASON, minutes=60).state == "active"


def test_one_way_in_at_a_time(cast, sam, asked):
    with pytest.raises(Conflict):
        support.ask(organization=cast.acme, staff=sam, reason=REASON, minutes=60)
    support.grant(access=asked, actor=cast.alice)
    with pytest.raises(Conflict):
        support.take_in_emergency(organization=cast.acme, staff=sam, reason=REASON, minutes=60)
    other = make_person("Olga", is_staff=True)
    assert support.ask(organization=cast.acme, staff=other, reason=REASON, minutes=60).state == "waiting"


def test_an_old_request_is_not_answered(cast, sam, asked):
    with clock.freeze(clock.now() + support.REQUEST_LIFETIME + timedelta(minutes=1)):
        with refused("orgs.support_request_lapsed"):
            support.grant(access=asked, actor=cast.alice)
        assert support.ask(organization=cast.acme, staff=sam, reason=REASON, minutes=60).state == "waiting"


def test_staff_who_are_staff_no_more_see_nothing(cast, sam, asked):
    support.grant(access=asked, actor=cast.alice)
    sam.is_staff = sam.is_superuser = False
    sam.save()
    assert not _sees(sam, cast.acme)


def test_the_owner_is_told_once(cast, sam, asked, mailoutbox):
    support.take_in_emergency(organization=cast.umbrella, staff=sam, reason=REASON, minutes=60)
    assert support_mails.tell_owners() == 2
    assert support_mails.tell_owners() == 0
    by_person = {mail.to[0]: mail for mail in mailoutbox}
    assert "ask to enter Acme" in by_person["alice@example.com"].subject
    assert "entered Umbrella in an emergency" in by_person["charlie@example.com"].subject
    assert REASON in by_person["charlie@example.com"].body
    assert "/o/umbrella/settings/support/" in by_person["charlie@example.com"].body


def test_a_mail_server_that_is_away_loses_nothing(cast, asked, settings, mailoutbox):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert support_mails.tell_owners() == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert support_mails.tell_owners() == 1


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_are_one(cast):
    SupportAccess.objects.all().delete()
    results: list[object] = []

    def ask() -> None:
        try:
            results.append(support.ask(organization=cast.acme, staff=cast.sam, reason=REASON, minutes=60))
        except Conflict as conflict:
            results.append(conflict)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(result, SupportAccess) for result in results) == 1
    assert SupportAccess.objects.count() == 1
