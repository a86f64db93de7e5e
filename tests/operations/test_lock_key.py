"""One operation per lock key; the newest request may wait for its turn."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connection, transaction

from apps.core.exceptions import Conflict
from apps.operations import services
from apps.operations.models import Operation, Status
from apps.operations.pipeline import Pipeline, register
from apps.operations.runner import run_operation
from tests.operations.toys.pipelines import make_steps, open_context

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(count, function):
    """Calls the function in so many threads at once; the sorted results (exceptions as their code)."""
    results, start = [], threading.Barrier(count)

    def target():
        try:
            start.wait()
            results.append(str(function()))
        except Conflict as conflict:
            results.append(conflict.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=target) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == count
    return results


def test_of_twenty_requests_at_once_exactly_one_is_queued(queue):
    results = in_threads(20, lambda: queue("toy.two").pk)
    assert results.count("operations.task_in_progress") == 19
    assert Operation.objects.count() == 1
    assert Operation.objects.get().steps.count() == 2


def test_the_conflict_names_what_is_going_on(queue):
    queue("toy.two")
    with pytest.raises(Conflict) as caught:
        queue("toy.long")
    assert caught.value.title == "“Two things” is queued here already."
    assert caught.value.http_status == 409
    assert services.active_for("toy").kind == "toy.two"


def test_other_keys_and_ended_operations_do_not_matter(queue):
    first = queue("toy.two")
    queue("toy.two", lock_key="other")
    assert run_operation(first.pk)
    assert queue("toy.two").status == Status.QUEUED


def test_a_caller_that_rolls_back_leaves_nothing(queue):
    with transaction.atomic():
        queue("toy.two")
        transaction.set_rollback(True)
    assert Operation.objects.count() == 0
    assert services.active_for("toy") is None


def test_a_conflict_does_not_spoil_the_callers_transaction(queue):
    first = queue("toy.two")
    with transaction.atomic():
        with pytest.raises(Conflict):
            queue("toy.two")
        Operation.objects.filter(pk=first.pk).update(title="Renamed")
    first.refresh_from_db()
    assert first.title == "Renamed"


def test_the_newest_waits_and_takes_its_turn(queue, world):
    first = queue("toy.two")
    second = queue("toy.two", wait=True, title="Second")
    third = queue("toy.two", wait=True, title="Third")
    second.refresh_from_db()
    assert (second.status, second.error) == (Status.CANCELLED, "Replaced by a newer request.")
    assert (third.status, third.queued_at) == (Status.PENDING, None)
    assert not run_operation(third.pk), "a waiting one is not taken"
    assert run_operation(first.pk)
    third.refresh_from_db()
    assert third.status == Status.QUEUED
    assert third.queued_at is not None
    assert run_operation(third.pk)


def test_a_cancelled_one_lets_the_waiting_one_go(queue, cast):
    first = queue("toy.two")
    waiting = queue("toy.two", wait=True)
    services.cancel(operation=first, user=cast.alice)
    waiting.refresh_from_db()
    assert waiting.status == Status.QUEUED


def test_a_waiting_one_can_be_cancelled(queue, cast):
    first = queue("toy.two")
    waiting = queue("toy.two", wait=True)
    services.cancel(operation=waiting, user=cast.alice)
    waiting.refresh_from_db()
    first.refresh_from_db()
    assert (waiting.status, first.status) == (Status.CANCELLED, Status.QUEUED)


def test_of_twenty_pushes_at_once_one_is_queued_and_one_waits(queue):
    in_threads(20, lambda: queue("toy.two", wait=True).pk)
    statuses = sorted(Operation.objects.values_list("status", flat=True))
    assert statuses == ["cancelled"] * 18 + ["pending", "queued"]


@pytest.fixture
def followed(queue):
    """A kind whose end queues another operation under the same key."""

    def follow(operation):
        queue("toy.two", title="The follow-up", trigger="follow_up")

    return register(Pipeline("toy.followed", "First", make_steps("one"), open_context, on_success=follow))


def test_a_follow_up_gets_the_key_before_the_one_that_waits(queue, followed):
    first = queue("toy.followed")
    waiting = queue("toy.two", wait=True)
    assert run_operation(first.pk)
    waiting.refresh_from_db()
    follow_up = services.active_for("toy")
    assert follow_up.title == "The follow-up"
    assert waiting.status == Status.PENDING
    assert run_operation(follow_up.pk)
    waiting.refresh_from_db()
    assert waiting.status == Status.QUEUED


def test_retry_does_the_same_in_a_new_operation(queue, cast, world):
    first = queue("toy.acting", act="fail_as_expected", word="that")
    with pytest.raises(Conflict):
        services.retry(operation=first, user=cast.alice)
    assert run_operation(first.pk)
    first.refresh_from_db()
    second = services.retry(operation=first, user=cast.alice)
    assert (second.parameters, second.retry_of, second.trigger) == (first.parameters, first, "retry")
    assert second.created_by == cast.alice
    with pytest.raises(Conflict):
        services.retry(operation=first, user=cast.alice)


def test_what_went_well_is_not_retried(queue, cast):
    operation = queue("toy.two")
    assert run_operation(operation.pk)
    operation.refresh_from_db()
    with pytest.raises(Conflict) as caught:
        services.retry(operation=operation, user=cast.alice)
    assert caught.value.what_to_do == "It went well."


def test_what_is_about_something_that_is_gone_is_not_retried(queue, cast):
    operation = queue("toy.two")
    services.cancel(operation=operation, user=cast.alice)
    Operation.objects.filter(pk=operation.pk).update(subject_id=uuid.uuid4())
    with pytest.raises(Conflict) as caught:
        services.retry(operation=Operation.objects.get(pk=operation.pk), user=cast.alice)
    assert caught.value.what_to_do == "What it was about is gone."
