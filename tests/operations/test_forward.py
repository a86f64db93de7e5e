"""The way forward: every step once, in order, all of them visible from the start."""

from __future__ import annotations

import pytest

from apps.operations.models import Operation, Status
from apps.operations.runner import run_operation

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
