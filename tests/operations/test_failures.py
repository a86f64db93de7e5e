"""Steps that fail: expected, unexpected, too slow, and by a lost connection."""

from __future__ import annotations

import logging

import pytest

from apps.core.exceptions import Problem
from apps.core.masking import Masker
from apps.operations.failures import describe
from apps.operations.log import LONGEST_LINE
from apps.operations.models import Operation, OperationStep, Status, UndoStatus
from apps.operations.runner import run_operation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acted(queue):
    """Runs the toy with one action to its end; gives the operation and its step `act`."""

    def run(**parameters):
        operation = queue("toy.acting", **parameters)
        assert run_operation(operation.pk)
        operation = Operation.objects.get(pk=operation.pk)
        return operation, operation.steps.get(name="act")

    return run


def test_an_expected_failure_says_what_to_do_and_who_can(acted, world):
    operation, step = acted(act="fail_as_expected", word="that")
    assert (operation.status, step.status) == (Status.FAILED, Status.FAILED)
    for thing in (operation, step):
        assert thing.error_code == "core.address_not_allowed"
        assert thing.error == "The address example.com is not allowed."
        assert thing.hint.startswith("Not with that.")
        assert thing.who == "user"
    assert step.last_lines.splitlines()[-1] == step.error
    assert [step.status for step in operation.steps.all()] == ["completed", "failed", "cancelled"]
    assert operation.steps.get(name="after").skipped_reason == "Not reached: an earlier step failed."
    assert world.count("hook", "failure") == 1


def test_steps_are_undone_on_failure_except_those_that_ask_not_to(acted, world):
    operation, step = acted(act="fail_as_expected", word="that")
    assert world.count("before", "undo", "failed") == 1
    assert world.count("act", "undo") == 0
    assert operation.steps.get(name="before").undo_status == UndoStatus.COMPLETED
    assert step.undo_status == UndoStatus.NONE
    assert not operation.needs_attention


def test_an_unexpected_failure_shows_a_reference_and_hides_the_rest(acted, caplog):
    with caplog.at_level(logging.ERROR):
        operation, step = acted(act="fail_unexpectedly", word="swordfish-42")
    assert operation.error_code == "operations.unexpected"
    assert operation.who == "platform staff"
    reference = step.hint.split("reference ")[1].split(" ")[0] if "reference " in step.hint else ""
    reference = reference or step.error.split("reference ")[1].rstrip(").")
    assert "swordfish" not in step.error + step.hint + step.last_lines
    [record] = [record for record in caplog.records if reference in record.getMessage()]
    assert "ZeroDivisionError" in record.getMessage()
    assert str(operation.pk) in record.getMessage()
    assert str(step.pk) in record.getMessage()


def test_a_step_ends_at_its_deadline(acted):
    operation, step = acted(act="never_come_back")
    assert operation.error_code == "operations.deadline_exceeded"
    assert "within 3.0 s" in step.error
    assert 2.9 < step.seconds < 5


def test_code_that_catches_every_exception_is_stopped_all_the_same(acted, world):
    operation, _ = acted(act="swallow_everything")
    assert operation.error_code == "operations.deadline_exceeded"
    assert world.count("swallowed") == 0


def test_a_wait_in_something_foreign_is_ended_by_the_callback(acted):
    operation, step = acted(act="wait_for_callback")
    assert operation.error_code == "operations.deadline_exceeded"
    assert step.attempt == 1


def test_a_lost_connection_is_tried_again_with_a_new_one(acted, world):
    operation, step = acted(act="lose_connection", times=2)
    assert (operation.status, step.status) == (Status.COMPLETED, Status.COMPLETED)
    assert step.attempt == 3
    assert world.count("try") == 3
    assert [world.count("open"), world.count("close")] == [3, 3]
    texts = [line.text for line in step.lines.all()]
    assert texts == ["The wire was cut. Trying again in 0.5 s.", "The wire was cut. Trying again in 1 s."]


def test_a_connection_that_stays_lost_fails_within_the_deadline(acted, world):
    operation, step = acted(act="lose_connection", times=1000)
    assert operation.error_code == "operations.connection_lost"
    assert operation.who == "server administrator"
    assert step.seconds < 4
    assert world.count("try") == 3


@pytest.mark.parametrize(("answer", "reason"), [("Nothing to do.", "Nothing to do."), (False, "Not needed.")])
def test_a_step_that_is_not_needed_is_skipped_with_the_reason(acted, world, answer, reason):
    operation, step = acted(act="fail_unexpectedly", needed=answer)
    assert operation.status == Status.COMPLETED
    assert (step.status, step.skipped_reason) == (Status.SKIPPED, reason)
    assert operation.progress == 100


def test_a_step_may_skip_itself(acted):
    operation, step = acted(act="skip_itself")
    assert operation.status == Status.COMPLETED
    assert (step.status, step.skipped_reason) == (Status.SKIPPED, "There is nothing to do.")


def test_a_kind_that_nobody_knows_any_more_fails_and_frees_its_lock(queue):
    operation = queue("toy.two")
    Operation.objects.filter(pk=operation.pk).update(kind="toy.forgotten")
    assert run_operation(operation.pk)
    operation.refresh_from_db()
    assert (operation.status, operation.error_code) == (Status.FAILED, "operations.unknown_kind")
    assert queue("toy.two").status == Status.QUEUED


def test_a_step_that_was_renamed_meanwhile_fails_cleanly(queue):
    operation = queue("toy.two")
    operation.steps.filter(name="two").update(name="gone")
    assert run_operation(operation.pk)
    operation.refresh_from_db()
    assert (operation.status, operation.error_code) == (Status.FAILED, "operations.unexpected")


def test_what_a_server_says_at_any_length_is_stored_in_ours():
    problem = Problem("core.address_not_allowed", host="long " * 10**6, reason="also " * 10**6)
    failure = describe(problem, step=OperationStep(title="x"), timeout=1, masker=Masker())
    assert len(failure.error) < LONGEST_LINE + 100
    assert len(failure.hint) < LONGEST_LINE + 100


def test_what_is_remembered_is_of_a_length(acted):
    operation, step = acted(act="remember_too_much")
    assert (operation.status, step.error_code) == (Status.FAILED, "operations.unexpected")
    assert operation.data == {}
