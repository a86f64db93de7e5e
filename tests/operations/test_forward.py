"""The way forward: every step once, in order, all of them visible from the start."""

from __future__ import annotations

import pytest

from apps.operations.models import Operation, Status
from apps.operations.pipeline import Pipeline, register
from apps.operations.runner import run_operation
from tests.operations.toys.pipelines import make_steps, open_context

pytestmark = pytest.mark.django_db(transaction=True)


def test_all_steps_exist_when_it_is_queued(queue):
    operation = queue("toy.long")
    assert operation.status == Status.QUEUED
    assert [(step.position, step.name, step.status) for step in operation.steps.all()] == [
        (number, name, "pending")
        for number, name in enumerate(("first", "second", "third", "fourth", "fifth", "last"), start=1)
    ]
    assert operation.progress == 0


def test_it_runs_every_step_once_and_in_order(queue, world):
    operation = queue("toy.long")
    assert run_operation(operation.pk)
    operation = Operation.objects.get(pk=operation.pk)
    assert (operation.status, operation.progress, operation.attempt) == (Status.COMPLETED, 100, 1)
    assert operation.lease_token is None
    assert operation.started_at <= operation.finished_at
    names = [note[0] for note in world.notes() if note[1:2] == ["begin"]]
    assert names == ["first", "second", "third", "fourth", "fifth", "last"]
    assert {(step.status, step.attempt) for step in operation.steps.all()} == {("completed", 1)}
    assert all(step.seconds is not None for step in operation.steps.all())
    assert [world.count("open"), world.count("close")] == [1, 1]
    assert world.notes()[-1] == ["hook", "success"]


@pytest.fixture
def hopeless():
    """A kind whose hook writes something and then fails."""

    def hook(operation):
        Operation.objects.filter(pk=operation.pk).update(title="Written by the hook")
        raise KeyError("nothing there")

    return register(Pipeline("toy.hopeless", "Hopeless", make_steps("one"), open_context, on_success=hook))


def test_a_failing_hook_is_rolled_back_and_flagged_but_the_operation_ends(queue, hopeless):
    operation = queue("toy.hopeless")
    assert run_operation(operation.pk)
    operation.refresh_from_db()
    assert (operation.status, operation.title) == (Status.COMPLETED, "Hopeless")
    assert operation.needs_attention
    assert operation.attention_reason == "What follows the end of this operation could not be done."
    assert queue("toy.two").status == Status.QUEUED, "the lock key is free"
