"""The layers above are told once that an operation began and that it ended, in the transaction that stores it."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.operations import services
from apps.operations.models import Operation, Status
from apps.operations.runner import run_operation
from apps.operations.signals import operation_ended, operation_started
from apps.orgs.models import Organization

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told():
    """What was told, and whether it was inside a transaction."""
    heard = []

    def began(sender, operation, **details):
        heard.append(("began", operation.status, connection.in_atomic_block))

    def ended(sender, operation, **details):
        heard.append(("ended", operation.status, connection.in_atomic_block))

    operation_started.connect(began)
    operation_ended.connect(ended)
    yield heard
    operation_started.disconnect(began)
    operation_ended.disconnect(ended)


def test_a_whole_operation_is_told_twice(queue, told):
    run_operation(queue("toy.two").pk)
    assert told == [("began", Status.RUNNING, True), ("ended", Status.COMPLETED, True)]


def test_one_that_never_began_is_told_to_have_ended(queue, told, cast):
    services.cancel(operation=queue("toy.two"), user=cast.sam)
    assert told == [("ended", Status.CANCELLED, True)]


def test_a_first_step_that_begins_again_is_not_told_again(queue, told):
    operation = queue("toy.two")
    operation.steps.filter(position=1).update(status=Status.RUNNING, attempt=1)
    run_operation(operation.pk)
    assert [what for what, *_ in told] == ["ended"]


def test_what_a_failing_receiver_wrote_is_rolled_back_and_the_operation_goes_on(queue, organization, caplog):
    def broken(sender, operation, **details):
        Organization.objects.filter(pk=organization.pk).update(name="Written by the receiver")
        raise RuntimeError("nothing there")

    operation_started.connect(broken)
    try:
        operation = queue("toy.two")
        run_operation(operation.pk)
    finally:
        operation_started.disconnect(broken)
    assert Operation.objects.get(pk=operation.pk).status == Status.COMPLETED
    organization.refresh_from_db()
    assert organization.name == "Toys"
    assert "could not be told" in caplog.text
