"""Cancel: at once before the start, within a second in a step, undone newest first, refused from the last step on."""

from __future__ import annotations

import time

import pytest

from apps.audit.models import Event
from apps.core.exceptions import Conflict
from apps.operations import services
from apps.operations.models import Operation, Status, UndoStatus
from apps.operations.runner import run_operation
from tests.operations.conftest import wait_for, wait_until_over

pytestmark = pytest.mark.django_db(transaction=True)


def test_before_the_start_it_is_over_at_once(queue, world, cast):
    operation = queue("toy.two")
    services.cancel(operation=operation, user=cast.alice)
    operation.refresh_from_db()
    assert (operation.status, operation.outcome) == (Status.CANCELLED, Status.CANCELLED)
    assert operation.cancelled_by == cast.alice
    assert {step.status for step in operation.steps.all()} == {"cancelled"}
    assert world.notes() == [["hook", "cancelled"]]
    assert not run_operation(operation.pk)
    event = Event.objects.get(action="operation.cancelled")
    assert (event.actor_id, event.target_id) == (cast.alice.pk, operation.pk)


def test_during_a_step_it_stops_within_a_second_and_is_undone_newest_first(queue, work, world, cast):
    operation = queue("toy.long", gate="third")
    work(operation)
    wait_for(lambda: world.count("third", "begin"))
    asked_at = time.monotonic()
    services.cancel(operation=operation, user=cast.alice)
    wait_for(lambda: world.count("third", "undo"), 3)
    assert time.monotonic() - asked_at < 1.2
    operation = wait_until_over(operation)
    assert operation.status == Status.CANCELLED
    undone = [note[0] for note in world.notes() if note[1:2] == ["undone"]]
    assert undone == ["third", "second", "first"]
    assert world.count("third", "end") == 0
    assert world.count("fourth") == 0
    statuses = [(step.status, step.undo_status) for step in operation.steps.all()]
    assert statuses == [("completed", "completed")] * 2 + [("cancelled", "completed")] + [("cancelled", "")] * 3
    assert world.notes()[-1] == ["hook", "cancelled"]


def test_a_wait_in_something_foreign_is_cancelled_too(queue, work, cast):
    operation = queue("toy.acting", act="wait_for_callback")
    work(operation)
    wait_for(lambda: operation.steps.filter(name="act", status=Status.RUNNING).exists())
    services.cancel(operation=operation, user=cast.alice)
    operation = wait_until_over(operation)
    assert operation.status == Status.CANCELLED
    assert operation.error == ""


def test_the_outcome_is_stored_before_the_undo_starts_and_cancelling_again_is_refused(queue, work, world, cast):
    operation = queue("toy.two", gate="two", undo_gate="two")
    work(operation)
    wait_for(lambda: world.count("two", "begin"))
    services.cancel(operation=operation, user=cast.alice)
    services.cancel(operation=operation, user=cast.bob)  # a second click is harmless
    wait_for(lambda: world.count("two", "undo"))
    operation.refresh_from_db()
    assert (operation.status, operation.outcome) == (Status.RUNNING, Status.CANCELLED)
    assert operation.cancelled_by == cast.alice
    assert operation.is_cancelling
    with pytest.raises(Conflict, match="cannot be cancelled"):
        services.cancel(operation=operation, user=cast.alice)
    with pytest.raises(Conflict, match="already"):
        queue("toy.two")  # the lock key is held until all is undone
    world.gate("undo-two").touch()
    assert wait_until_over(operation).status == Status.CANCELLED
    assert queue("toy.two").status == Status.QUEUED


def test_from_the_start_of_the_final_step_on_it_is_refused(queue, work, world, cast):
    operation = queue("toy.long", gate="last")
    work(operation)
    wait_for(lambda: world.count("last", "begin"))
    operation.refresh_from_db()
    assert not operation.may_be_cancelled
    with pytest.raises(Conflict) as caught:
        services.cancel(operation=operation, user=cast.alice)
    assert caught.value.what_to_do == "Its last step has begun. It ends by itself."
    world.gate("last").touch()
    operation = wait_until_over(operation)
    assert operation.status == Status.COMPLETED
    with pytest.raises(Conflict):
        services.cancel(operation=operation, user=cast.alice)


def test_a_kind_that_runs_to_its_end_is_not_cancelled(queue, cast):
    operation = queue("toy.stubborn")
    with pytest.raises(Conflict):
        services.cancel(operation=operation, user=cast.alice)
    assert run_operation(operation.pk)
    operation.refresh_from_db()
    assert operation.status == Status.COMPLETED


def test_a_cancel_that_was_accepted_while_the_last_step_ended_counts(queue, work, world, cast):
    operation = queue("toy.acting", act="swallow_everything", needed="No.", gate="after")
    work(operation)
    wait_for(lambda: world.count("after", "begin"))
    # The gate opens in the same moment: the step may well end before it hears of the cancel.
    world.gate("after").touch()
    try:
        services.cancel(operation=operation, user=cast.alice)
    except Conflict:
        assert wait_until_over(operation).status == Status.COMPLETED
        return
    operation = wait_until_over(operation)
    assert operation.status == Status.CANCELLED
    assert operation.steps.get(name="before").undo_status == UndoStatus.COMPLETED
    assert operation.steps.get(name="act").undo_status == UndoStatus.NONE


def test_a_failing_undo_asks_for_attention_and_does_not_keep_the_others(queue, work, world, cast):
    operation = queue("toy.long", gate="third", undo_fails="second")
    work(operation)
    wait_for(lambda: world.count("third", "begin"))
    services.cancel(operation=operation, user=cast.alice)
    operation = wait_until_over(operation)
    assert operation.status == Status.CANCELLED
    assert operation.needs_attention
    assert "“Make second” could not be undone: The address second is not allowed." in operation.attention_reason
    statuses = {step.name: step.undo_status for step in operation.steps.all()}
    assert (statuses["third"], statuses["second"], statuses["first"]) == ("completed", "failed", "completed")
    assert "It is stuck." in operation.steps.get(name="second").undo_error
    services.mark_as_seen(operation=operation, user=cast.sam)
    operation.refresh_from_db()
    assert not operation.needs_attention


def test_the_undo_goes_on_where_another_worker_was_lost(queue, work, world, cast):
    """The worker died while it undid `two`: what is undone stays undone, `two` is undone again."""
    operation = queue("toy.long", gate="third")
    work(operation)
    wait_for(lambda: world.count("third", "begin"))
    services.cancel(operation=operation, user=cast.alice)
    wait_until_over(operation)
    operation.steps.filter(name="second").update(undo_status=UndoStatus.RUNNING)
    operation.steps.filter(name="first").update(undo_status=UndoStatus.NONE)
    Operation.objects.filter(pk=operation.pk).update(status=Status.QUEUED, finished_at=None)
    assert run_operation(operation.pk)
    operation.refresh_from_db()
    assert operation.status == Status.CANCELLED
    assert [world.count(name, "undo") for name in ("third", "second", "first")] == [1, 2, 2]
