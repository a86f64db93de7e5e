"""Who sends: one call of a webhook at a time, few at once, and lost workers followed by others."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections

from apps.core import clock
from apps.core.exceptions import Conflict
from apps.notifications import delivering, services
from apps.notifications.claiming import LEASE, claim_delivery, claim_mail
from apps.notifications.delivering import deliver_next
from apps.notifications.dispatching import dispatch_next
from apps.notifications.models import Delivery, DeliveryAttempt, Mail, OutboxStatus
from tests.notifications.receiver import Reply


@pytest.mark.django_db(transaction=True)
def test_calls_of_one_webhook_never_overlap_and_nothing_is_sent_twice(receiver, make_webhook, make_event):
    receiver.replies = [Reply(pause=0.1)]
    make_webhook(receiver.url)
    events = [make_event(title=f"Number {number}") for number in range(6)]
    while dispatch_next():
        pass

    def work():
        try:
            while Delivery.objects.filter(status="pending").exists():
                deliver_next()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert receiver.most_together == 1
    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert len(ids) == len(set(ids)) == len(events)


@pytest.fixture
def wait_in_both(cast, make_webhook, make_event):
    """Four deliveries of Acme, and after them four of Umbrella."""
    for _ in range(4):
        make_webhook()
        make_webhook(organization=cast.umbrella, actor=cast.charlie)
    make_event()
    make_event(organization=cast.umbrella, project=None)
    while dispatch_next():
        pass


def claimed() -> list[str]:
    rows = iter(claim_delivery, None)
    return [row.organization.name for row in rows]


@pytest.mark.parametrize("senders", [1, 2, 3, 4])
def test_no_more_than_the_senders_are_under_way_and_half_of_them_for_one_organization(wait_in_both, settings, senders):
    settings.NOTIFICATION_SENDERS = senders
    expected = {1: ["Acme"], 2: ["Acme", "Umbrella"], 3: ["Acme", "Umbrella"], 4: ["Acme"] * 2 + ["Umbrella"] * 2}
    assert claimed() == expected[senders]


def test_deliveries_and_mails_count_together(cast, wait_in_both, verify, make_event, settings):
    settings.NOTIFICATION_SENDERS = 4
    verify(cast.alice)
    make_event()
    while dispatch_next():
        pass
    assert claim_mail() is not None
    assert claimed() == ["Acme", "Umbrella", "Umbrella"]
    Delivery.objects.filter(webhook__organization=cast.umbrella).update(lease_token=None, lease_expires_at=None)
    make_event()
    while dispatch_next():
        pass
    assert Mail.objects.filter(lease_token=None).exists()
    assert claim_mail() is None, "Acme has its half"


def test_a_lost_worker_leaves_an_open_attempt_and_the_next_goes_on(receiver, make_delivery):
    delivery = make_delivery(receiver.url)
    with clock.freeze(clock.now() + timedelta(seconds=1)):
        lost = claim_delivery()
        assert lost.pk == delivery.pk
        assert not deliver_next(), "the lease holds"
        clock.advance(LEASE + timedelta(seconds=1))
        assert deliver_next()
        assert not delivering.settle(lost, delivering.Answer("", 5, 200)), "the fence"
    delivery.refresh_from_db()
    assert delivery.status == OutboxStatus.DELIVERED
    assert [attempt.outcome for attempt in delivery.attempts.all()] == ["running", "delivered"]


def test_a_delivery_that_kills_its_workers_ends(receiver, make_delivery):
    delivery = make_delivery(receiver.url)
    with clock.freeze(clock.now() + timedelta(seconds=1)):
        for _ in range(8):
            assert claim_delivery() is not None
            clock.advance(LEASE + timedelta(seconds=1))
        assert deliver_next()
    delivery.refresh_from_db()
    assert delivery.status == OutboxStatus.FAILED
    assert receiver.requests == []


def test_removing_a_webhook_while_it_is_called_is_harmless(receiver, make_delivery, cast):
    delivery = make_delivery(receiver.url)
    claimed = claim_delivery()
    services.delete_webhook(webhook=delivery.webhook, actor=cast.alice)
    assert not delivering.settle(claimed, delivering.Answer("", 5, 200))
    assert not DeliveryAttempt.objects.exists()


def test_pausing_while_it_is_called_keeps_what_came_of_it(receiver, make_delivery, cast):
    delivery = make_delivery(receiver.url)
    receiver.before_reply = lambda request: None
    claimed = claim_delivery()
    services.pause_webhook(webhook=delivery.webhook, actor=cast.alice)
    services.resume_webhook(webhook=delivery.webhook, actor=cast.alice)
    with pytest.raises(Conflict):
        services.resend(delivery=delivery, actor=cast.alice)
    assert delivering.settle(claimed, delivering.Answer("", 5, 200))
    delivery.refresh_from_db()
    assert delivery.status == OutboxStatus.DELIVERED
