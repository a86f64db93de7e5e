"""Mails: in the organization's name, to verified addresses only, tried again where that helps."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend

from apps.core import clock
from apps.notifications.claiming import LEASE, claim_mail
from apps.notifications.dispatching import dispatch_next
from apps.notifications.mailing import mail_next
from apps.notifications.models import Mail, OutboxStatus
from apps.orgs.models import Membership

FAILURES: list[Exception] = []


class FailingBackend(EmailBackend):
    """A mail server that fails as often as FAILURES says."""

    def send_messages(self, messages):
        if FAILURES:
            raise FAILURES.pop(0)
        return super().send_messages(messages)


@pytest.fixture
def mail(cast, make_event, verify, environment):
    verify(cast.alice)
    data = {"deployment": {"number": 3, "error": "No <b>room</b> left.", "hint": "Free some."}}
    make_event(title="Deployment 3 of Shop failed", environment=environment, data=data, path="/o/acme/p/shop/")
    while dispatch_next():
        pass
    return Mail.objects.get(user=cast.alice)


@pytest.fixture
def failures(settings):
    settings.EMAIL_BACKEND = f"{__name__}.FailingBackend"
    FAILURES.clear()
    yield FAILURES
    FAILURES.clear()


def test_a_mail_says_what_happened_and_what_to_do(mail, cast):
    assert mail_next()
    message = outbox.outbox[0]
    assert message.to == ["alice@example.com"]
    assert message.subject == "[Acme] Deployment 3 of Shop failed"
    assert "Acme" in message.from_email
    for words in (
        "Error: No <b>room</b> left.",
        "What to do: Free some.",
        "/o/acme/p/shop/",
        "/account/notifications/",
    ):
        assert words in message.body
    html = message.alternatives[0][0]
    assert "No &lt;b&gt;room&lt;/b&gt; left." in html
    raw = message.message()
    assert raw["Message-ID"].startswith(f"<{mail.pk}@")
    assert raw["Auto-Submitted"] == "auto-generated"
    assert "/account/notifications/" in raw["List-Unsubscribe"]
    mail.refresh_from_db()
    assert mail.status == OutboxStatus.DELIVERED
    assert not mail_next()


def test_a_mail_carries_the_organizations_colour(mail, cast):
    cast.acme.colour = "#7a1f4b"
    cast.acme.save()
    mail_next()
    assert "#7a1f4b" in outbox.outbox[0].alternatives[0][0]


def test_times_are_the_persons(mail, cast):
    cast.alice.time_zone = "Asia/Kathmandu"
    cast.alice.save()
    mail_next()
    assert "+0545" in outbox.outbox[0].body


def test_a_name_with_line_ends_makes_no_header(make_event, cast, verify, environment):
    verify(cast.alice)
    make_event(title="Broken\r\nBcc: everybody@example.com", environment=environment)
    while dispatch_next():
        pass
    mail_next()
    message = outbox.outbox[0].message()
    assert message["Bcc"] is None
    assert "\n" not in message["Subject"]


def test_a_mail_server_that_is_away_is_tried_again_and_given_up_in_the_end(mail, failures):
    failures.extend([ConnectionRefusedError("no")] * 10)
    with clock.freeze(clock.now() + timedelta(seconds=1)):
        for attempt in range(1, 7):
            assert mail_next()
            mail.refresh_from_db()
            assert mail.attempt_count == attempt
            assert not mail_next()
            clock.advance(timedelta(hours=7))
        assert mail.status == OutboxStatus.FAILED
        assert not mail_next()


def test_a_second_attempt_is_the_same_message(mail, failures):
    failures.append(smtplib.SMTPServerDisconnected("cut"))
    with clock.freeze(clock.now() + timedelta(seconds=1)):
        mail_next()
        clock.advance(timedelta(minutes=2))
        mail_next()
    assert outbox.outbox[0].message()["Message-ID"].startswith(f"<{mail.pk}@")


def test_an_address_that_is_refused_for_good_is_not_tried_again(mail, failures):
    failures.append(smtplib.SMTPRecipientsRefused({"alice@example.com": (550, b"no such user")}))
    mail_next()
    mail.refresh_from_db()
    assert mail.status == OutboxStatus.FAILED
    assert "550" in mail.error


def test_one_that_is_refused_for_now_is(mail, failures):
    failures.append(smtplib.SMTPRecipientsRefused({"alice@example.com": (451, b"later")}))
    mail_next()
    mail.refresh_from_db()
    assert mail.status == OutboxStatus.PENDING


def test_who_has_left_meanwhile_gets_no_mail(mail, cast):
    Membership.objects.filter(user=cast.alice).update(user=cast.charlie)
    assert mail_next()
    mail.refresh_from_db()
    assert mail.status == OutboxStatus.CANCELLED
    assert outbox.outbox == []


def test_an_address_that_changed_meanwhile_gets_no_mail(mail, cast):
    cast.alice.email = "other@example.com"
    cast.alice.save()
    mail_next()
    mail.refresh_from_db()
    assert mail.status == OutboxStatus.CANCELLED
    assert outbox.outbox == []


def test_a_lost_worker_is_followed_by_another_and_ends_after_six(mail):
    with clock.freeze(clock.now() + timedelta(seconds=1)):
        assert claim_mail() is not None
        assert claim_mail() is None
        for _ in range(5):
            clock.advance(LEASE + timedelta(seconds=1))
            assert claim_mail() is not None
        clock.advance(LEASE + timedelta(seconds=1))
        assert mail_next()
    mail.refresh_from_db()
    assert mail.status == OutboxStatus.FAILED
    assert outbox.outbox == []
