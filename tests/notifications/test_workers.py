"""The worker dies in the middle of a delivery; Redis is flushed; bells come twice: real workers, a real receiver."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connections

from apps.core import clock
from apps.notifications import bell
from apps.notifications.models import Delivery, Event, Notice, OutboxStatus
from apps.notifications.working import work_through
from tests.notifications.receiver import Reply
from tests.operations.conftest import wait_for
from tests.operations.processes import beat, is_alive, worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def processes(tmp_path):
    started = []

    def start(process):
        started.append(process.start())
        return process

    yield start
    for process in started:
        process.stop()


def environment_of(receiver) -> dict[str, str]:
    return {"WEBHOOK_CA_FILE": str(receiver.certificate)}


def flush_redis() -> None:
    redis.Redis.from_url(django_settings.REDIS_URL).flushall()


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_of_a_delivery(tmp_path, processes, receiver, make_webhook, make_event):
    """The receiver has it, the answer is lost: it comes again under the same id, and then it is over."""
    receiver.replies = [Reply(pause=8), Reply()]
    make_webhook(receiver.url)
    event = make_event()
    first = processes(worker(tmp_path, 2, name="first", **environment_of(receiver)))
    first.wait_until_it_says("ready")
    bell.ring()
    wait_for(lambda: receiver.requests, 30)
    children = first.children()
    first.kill()
    for child in children:
        wait_for(lambda child=child: not is_alive(child), 10)
    delivery = Delivery.objects.get(event=event)
    assert delivery.status == OutboxStatus.PENDING
    assert [attempt.outcome for attempt in delivery.attempts.all()] == ["running"]
    # The lease would end by itself after a minute and a half.
    Delivery.objects.update(lease_expires_at=clock.now() - timedelta(seconds=1))
    flush_redis()
    processes(worker(tmp_path, 2, name="second", **environment_of(receiver)))
    processes(beat(tmp_path))
    wait_for(lambda: Delivery.objects.filter(status=OutboxStatus.DELIVERED).exists(), 60)
    assert [request.headers["webhook-id"] for request in receiver.requests] == [str(delivery.pk)] * 2
    assert [attempt.outcome for attempt in delivery.attempts.all()] == ["running", "delivered"]
    assert Notice.objects.filter(event=event).count() == Notice.objects.filter(event=event).distinct().count()


def test_bells_that_come_many_times_do_everything_once(tmp_path, processes, receiver, make_webhook, make_event):
    make_webhook(receiver.url)
    events = [make_event(title=f"Number {number}") for number in range(5)]
    process = processes(worker(tmp_path, 4, **environment_of(receiver)))
    process.wait_until_it_says("ready")
    for _ in range(12):
        bell.ring()
    wait_for(lambda: Delivery.objects.filter(status=OutboxStatus.DELIVERED).count() == len(events), 60)
    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert sorted(ids) == sorted(str(pk) for pk in Delivery.objects.values_list("pk", flat=True))
    assert receiver.most_together == 1


def test_the_work_ends_when_its_time_is_over_and_rings_for_the_rest(receiver, make_webhook, make_event):
    receiver.replies = [Reply(pause=0.3)]
    make_webhook(receiver.url)
    for number in range(4):
        make_event(title=f"Number {number}")
    assert work_through(seconds=0.2) < 8
    assert Event.objects.filter(dispatched_at=None).exists() or Delivery.objects.filter(status="pending").exists()
    flush_redis()
    work_through()
    assert Delivery.objects.filter(status=OutboxStatus.DELIVERED).count() == 4
    connections.close_all()
