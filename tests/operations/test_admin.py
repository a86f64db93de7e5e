"""The admin: everything to be seen by platform staff, nothing to be edited, actions that call the services."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from apps.core import clock
from apps.operations.models import LogLine, LogPosition, Operation, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation(queue):
    operation = queue("toy.two")
    LogLine.objects.create(operation=operation, sequence=1, text="x", created_at=clock.now())
    LogPosition.objects.create(operation=operation, source="x", position=1)
    return operation


@pytest.mark.parametrize("model", ["operation", "operationstep", "logline", "logposition"])
def test_everything_is_seen_and_nothing_can_be_changed(operation, cast, sign_in, model):
    client = sign_in(cast.sam)
    assert client.get(reverse(f"admin:operations_{model}_changelist")).status_code == 200
    row = {
        "operation": operation,
        "operationstep": operation.steps.first(),
        "logline": operation.lines.first(),
        "logposition": operation.log_positions.first(),
    }[model]
    change = reverse(f"admin:operations_{model}_change", args=[row.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, {}).status_code == 403
    assert client.post(reverse(f"admin:operations_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse(f"admin:operations_{model}_add")).status_code == 403


def act(client, action, *operations):
    data = {"action": action, "_selected_action": [operation.pk for operation in operations]}
    answer = client.post(reverse("admin:operations_operation_changelist"), data)
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_cancel_and_retry_call_the_services(operation, cast, sign_in):
    client = sign_in(cast.sam)
    assert act(client, "cancel_selected", operation) == ["Two things: done."]
    operation.refresh_from_db()
    assert (operation.status, operation.cancelled_by) == (Status.CANCELLED, cast.sam)
    assert act(client, "cancel_selected", operation)[-1].startswith("“Two things” cannot be cancelled.")
    act(client, "retry_selected", operation)
    assert Operation.objects.get(retry_of=operation).status == Status.QUEUED


def test_attention_is_marked(operation, cast, sign_in):
    Operation.objects.filter(pk=operation.pk).update(needs_attention=True)
    act(sign_in(cast.sam), "mark_as_seen", operation)
    operation.refresh_from_db()
    assert not operation.needs_attention


def test_a_customer_gets_nowhere(operation, cast, sign_in):
    assert sign_in(cast.alice).get(reverse("admin:operations_operation_changelist")).status_code == 302


def test_staff_who_may_only_look_cannot_act(operation, cast, sign_in):
    from django.contrib.auth.models import Permission

    cast.vera.is_staff = True
    cast.vera.save()
    cast.vera.user_permissions.add(Permission.objects.get(codename="view_operation"))
    client = sign_in(cast.vera)
    assert client.get(reverse("admin:operations_operation_changelist")).status_code == 200
    act(client, "cancel_selected", operation)
    operation.refresh_from_db()
    assert operation.status == Status.QUEUED
