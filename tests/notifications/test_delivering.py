"""Deliveries to a real receiver on a socket: signature, failures of every kind, back-off, pause."""

from __future__ import annotations

from datetime import timedelta

import pytest
from standardwebhooks import Webhook as Checker
from standardwebhooks.webhooks import WebhookVerificationError

from apps.core import clock
from apps.core.exceptions import Conflict
from apps.notifications import delivering, services
from apps.notifications.claiming import DELIVERY_PAUSES
from apps.notifications.delivering import deliver_next
from apps.notifications.dispatching import dispatch_next
from apps.notifications.models import Delivery, Event, OutboxStatus, Webhook
from tests.notifications.receiver import Reply


def test_a_delivery_arrives_signed_and_is_logged(receiver, make_delivery):
    delivery = make_delivery(receiver.url)
    assert deliver_next()
    request = receiver.requests[0]
    body = Checker(delivery.webhook.secret).verify(request.body, request.headers)
    assert request.headers["webhook-id"] == str(delivery.pk)
    assert request.headers["content-type"].startswith("application/json")
    assert body["type"] == "deploy.failed"
    assert body["id"] == str(delivery.event_id)
    assert body["project"]["name"] == "Shop"
    with pytest.raises(WebhookVerificationError):
        Checker("whsec_" + "A" * 43 + "=").verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Checker(delivery.webhook.secret).verify(request.body.replace(b"Shop", b"Shoq"), request.headers)
    delivery.refresh_from_db()
    assert delivery.status == OutboxStatus.DELIVERED
    assert delivery.lease_token is None
    attempt = delivery.attempts.get()
    assert (attempt.number, attempt.response_status, attempt.response_body) == (1, 200, "ok")
    assert attempt.outcome == "delivered"
    webhook = Webhook.objects.get()
    assert webhook.last_triggered_at is not None
    assert not deliver_next()


def test_after_a_rotation_both_secrets_sign_for_a_day(receiver, make_delivery, cast):
    delivery = make_delivery(receiver.url)
    old = delivery.webhook.secret
    new = services.rotate_secret(webhook=delivery.webhook, actor=cast.alice)
    deliver_next()
    request = receiver.requests[0]
    for secret in (old, new):
        Checker(secret).verify(request.body, request.headers)
    Webhook.objects.update(previous_secret_until=clock.now() - timedelta(seconds=1))
    services.resend(delivery=delivery, actor=cast.alice)
    deliver_next()
    later = receiver.requests[1]
    Checker(new).verify(later.body, later.headers)
    with pytest.raises(WebhookVerificationError):
        Checker(old).verify(later.body, later.headers)


@pytest.mark.parametrize("status", [101, 103, 301, 302, 400, 401, 404, 429, 500, 503])
def test_everything_but_success_is_a_failure_and_comes_again(receiver, make_delivery, status):
    receiver.replies = [Reply(status, headers={"Location": "https://127.0.0.1:1/"})]
    delivery = make_delivery(receiver.url)
    before = clock.now()
    deliver_next()
    delivery.refresh_from_db()
    assert len(receiver.requests) == 1, "no redirect is followed"
    assert delivery.status == OutboxStatus.PENDING
    assert delivery.error == f"The receiver answered {status}."
    pause = delivery.next_attempt_at - before
    assert DELIVERY_PAUSES[0] <= pause <= DELIVERY_PAUSES[0] * 1.2 + timedelta(seconds=30)
    assert not deliver_next(), "its time has not come"


def test_eight_attempts_and_then_it_has_failed(receiver, make_delivery, cast):
    receiver.replies = [Reply(500)]
    delivery = make_delivery(receiver.url)
    with clock.freeze(clock.now() + timedelta(seconds=1)):
        for _ in range(8):
            assert deliver_next()
            clock.advance(timedelta(hours=15))
        assert not deliver_next()
        delivery.refresh_from_db()
        assert delivery.status == OutboxStatus.FAILED
        assert delivery.attempt_count == delivery.attempts.count() == 8
        assert {request.headers["webhook-id"] for request in receiver.requests} == {str(delivery.pk)}
        receiver.replies = [Reply(204, body=b"")]
        services.resend(delivery=delivery, actor=cast.alice)
        assert deliver_next()
        delivery.refresh_from_db()
        assert delivery.status == OutboxStatus.DELIVERED
        assert receiver.requests[-1].headers["webhook-id"] == str(delivery.pk)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("120", 120, 121),
        ("999999999", 3600, 3600),
        ("9" * 5000, 3600, 3600),
        ("soon", 0, 30),
        ("-5", 0, 30),
        ("\xb2", 0, 30),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", 0, 30),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0, 30),
    ],
)
def test_a_wish_to_be_called_later_is_kept_up_to_an_hour(receiver, make_delivery, value, least, most):
    receiver.replies = [Reply(429, headers={"Retry-After": value})]
    delivery = make_delivery(receiver.url)
    with clock.freeze(clock.now() + timedelta(seconds=1)):
        deliver_next()
        delivery.refresh_from_db()
        wait = (delivery.next_attempt_at - clock.now()).total_seconds()
    assert delivery.error == "The receiver answered 429."
    assert least <= wait <= most


def test_a_slow_receiver_is_cut_off_and_delays_nobody_else(receiver, make_delivery):
    receiver.replies = [Reply(pause=12), Reply()]
    slow, quick = make_delivery(receiver.url), make_delivery(receiver.url)
    deliver_next()
    deliver_next()
    slow.refresh_from_db()
    quick.refresh_from_db()
    assert slow.error == "No answer within 10 seconds."
    assert 9_000 < slow.attempts.get().duration_milliseconds < 12_000
    assert quick.status == OutboxStatus.DELIVERED


@pytest.mark.parametrize("headers", [{}, {"Transfer-Encoding": "chunked"}])
def test_a_body_without_end_is_not_waited_for(receiver, make_delivery, headers):
    # In chunks: the line with the size of the first one does not end.
    receiver.replies = [Reply(200, headers=headers, body=b"1;" + b"x" * 2000, drip=0.1)]
    delivery = make_delivery(receiver.url)
    deliver_next()
    delivery.refresh_from_db()
    assert delivery.status == OutboxStatus.DELIVERED, "the head had said so"
    assert delivery.attempts.get().duration_milliseconds < 6_000


def test_a_huge_answer_is_not_kept(receiver, make_delivery):
    receiver.replies = [Reply(500, body=b"y" * 300_000)]
    delivery = make_delivery(receiver.url)
    deliver_next()
    attempt = delivery.attempts.get()
    assert attempt.response_status == 500
    assert len(attempt.response_body) < 2100


def test_what_the_receiver_says_is_masked_and_made_printable(receiver, make_delivery):
    delivery = make_delivery(receiver.url)
    secret = delivery.webhook.secret
    receiver.replies = [Reply(400, body=f"\0bad \x1b[31m{secret} {receiver.url} \xff".encode("latin-1"))]
    deliver_next()
    text = delivery.attempts.get().response_body
    assert secret not in text
    assert receiver.url not in text
    assert "\0" not in text


def test_a_closed_port_and_a_wrong_certificate_are_told_in_words(receiver, make_delivery, settings):
    closed = make_delivery("https://127.0.0.1:9/hook")
    deliver_next()
    closed.refresh_from_db()
    assert closed.error == "The connection was refused or broke off."
    settings.WEBHOOK_CA_FILE = ""
    strange = make_delivery(receiver.url)
    deliver_next()
    strange.refresh_from_db()
    assert "certificate is not accepted" in strange.error
    assert receiver.requests == []


def test_an_address_that_became_private_is_refused_at_delivery(receiver, make_delivery, settings):
    delivery = make_delivery(receiver.url)
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    deliver_next()
    delivery.refresh_from_db()
    assert "private or reserved" in delivery.error
    assert receiver.requests == []


def test_gone_pauses_at_once_and_those_who_manage_webhooks_are_told(receiver, make_delivery, cast):
    receiver.replies = [Reply(410)]
    delivery = make_delivery(receiver.url)
    deliver_next()
    delivery.refresh_from_db()
    assert delivery.webhook.__class__.objects.get().paused_at is not None
    assert delivery.status == OutboxStatus.CANCELLED
    with pytest.raises(Conflict):
        services.resend(delivery=delivery, actor=cast.alice)
    event = Event.objects.get(kind="webhook.paused")
    while dispatch_next():
        pass
    assert {notice.user for notice in event.notices.all()} == {cast.alice, cast.anna}
    assert not event.deliveries.exists()


def test_twenty_failures_over_an_hour_pause_and_fewer_or_faster_do_not(receiver, make_delivery, make_event):
    receiver.replies = [Reply(500)]
    delivery = make_delivery(receiver.url)
    webhook = delivery.webhook
    for number in range(delivering.FAILURES_TO_PAUSE):
        make_event(title=f"Number {number}")
    while dispatch_next():
        pass
    with clock.freeze(clock.now() + timedelta(seconds=1)):
        while webhook.failure_count < delivering.FAILURES_TO_PAUSE + 1:
            Webhook.objects.update(resting_until=None)
            Delivery.objects.filter(status="pending").update(next_attempt_at=clock.now())
            assert deliver_next()
            webhook.refresh_from_db()
        assert webhook.is_active, "not an hour yet"
        clock.advance(timedelta(minutes=61))
        assert deliver_next()
        webhook.refresh_from_db()
        assert not webhook.is_active
        assert webhook.pause_reason.startswith("22 calls in a row failed.")
        assert not Delivery.objects.filter(status=OutboxStatus.PENDING).exists()


def test_a_failing_webhook_rests_longer_each_time_and_success_clears_it(receiver, make_delivery):
    receiver.replies = [Reply(500)]
    delivery = make_delivery(receiver.url)
    rests = []
    with clock.freeze(clock.now() + timedelta(seconds=1)):
        for _ in range(9):
            Delivery.objects.update(next_attempt_at=clock.now(), status="pending", tries=0)
            assert deliver_next()
            webhook = Webhook.objects.get()
            rests.append((webhook.resting_until - clock.now()).total_seconds())
            Delivery.objects.update(next_attempt_at=clock.now())
            assert not deliver_next(), "it rests"
            clock.advance(timedelta(minutes=5, seconds=1))
        receiver.replies = [Reply()]
        assert deliver_next()
    assert rests == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    webhook = Webhook.objects.get()
    assert (webhook.failure_count, webhook.failing_since, webhook.resting_until) == (0, None, None)
    delivery.refresh_from_db()
    assert delivery.status == OutboxStatus.DELIVERED
