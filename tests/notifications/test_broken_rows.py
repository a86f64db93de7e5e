"""One row that cannot be sent, whatever it is, ends as a failed attempt and stops nothing else."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core import mail as outbox
from django.db import connection

from apps.notifications import tasks
from apps.notifications.claiming import LEASE
from apps.notifications.delivering import deliver_next
from apps.notifications.dispatching import dispatch_next
from apps.notifications.mailing import mail_next
from apps.notifications.models import Event, Mail, OutboxStatus, Webhook
from apps.notifications.working import work_through
from tests.notifications.receiver import Reply


@pytest.fixture
def mail(cast, make_event, verify, environment):
    verify(cast.alice)
    make_event(environment=environment)
    while dispatch_next():
        pass
    return Mail.objects.get(user=cast.alice)


@pytest.fixture
def time_limit():
    """`time_limit(seconds)`: after so long the task's time is over, told as Celery tells it."""

    def tell(*details):
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGUSR1, tell)
    timers = []

    def after(seconds):
        timers.append(threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGUSR1)))
        timers[-1].start()

    yield after
    for timer in timers:
        timer.cancel()
        timer.join()
    signal.signal(signal.SIGUSR1, before)


def test_a_delivery_that_cannot_be_made_is_a_failed_attempt(receiver, make_delivery):
    broken, sound = make_delivery(receiver.url), make_delivery(receiver.url)
    Webhook.objects.filter(pk=broken.webhook_id).update(secret="whsec_x")
    assert deliver_next()
    assert deliver_next()
    broken.refresh_from_db()
    sound.refresh_from_db()
    assert broken.error == broken.attempts.get().error == "The platform could not make this call."
    assert (broken.status, broken.lease_token) == (OutboxStatus.PENDING, None)
    assert sound.status == OutboxStatus.DELIVERED


def test_a_mail_that_cannot_be_made_is_a_failed_attempt(mail, cast):
    cast.alice.time_zone = "Mars/Base"
    cast.alice.save()
    assert mail_next()
    mail.refresh_from_db()
    assert mail.error == "The platform could not send this mail."
    assert (mail.status, mail.lease_token) == (OutboxStatus.PENDING, None)
    assert outbox.outbox == []


def test_a_row_that_cannot_even_be_read_does_not_stop_the_other_kinds_of_work(mail, make_delivery, make_event):
    broken = make_delivery("https://127.0.0.1:9/hook")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_webhook SET url = 'broken' WHERE id = %s", [broken.webhook_id])
    make_event(title="The next one")
    assert work_through() >= 2
    assert not Event.objects.filter(dispatched_at=None).exists()
    mail.refresh_from_db()
    assert mail.status == OutboxStatus.DELIVERED


def test_when_the_tasks_time_is_over_the_attempt_has_failed(receiver, make_delivery, time_limit):
    receiver.replies = [Reply(pause=5)]
    delivery = make_delivery(receiver.url)
    began = time.monotonic()
    time_limit(1)
    assert deliver_next()
    assert time.monotonic() - began < 4
    delivery.refresh_from_db()
    assert delivery.attempts.get().outcome == "failed"
    assert (delivery.status, delivery.lease_token) == (OutboxStatus.PENDING, None)


def test_the_task_has_a_time_limit_within_the_lease():
    assert 60 <= tasks.work.soft_time_limit < LEASE.total_seconds()
