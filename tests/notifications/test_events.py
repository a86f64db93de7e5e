"""What happens becomes an event: in the same transaction, once, and without ever standing in the way."""

from __future__ import annotations

import json
import threading

import pytest
from django.db import connections, transaction

from apps.core import clock
from apps.core.exceptions import Conflict
from apps.deployments import services as deployments
from apps.domains.models import Certificate, Route
from apps.environments.actions import destroy_environment, expected_confirmation
from apps.environments.changes import set_status
from apps.environments.models import Status
from apps.notifications.kinds import Kind, all_kinds, get_kind, register, webhook_kinds
from apps.notifications.models import Event
from apps.notifications.publishing import body_of, publish
from apps.operations import services as operations
from apps.operations.finishing import Failure, finish, store_outcome
from apps.operations.models import Operation
from apps.operations.models import Status as OperationStatus
from apps.operations.signals import operation_ended, operation_started
from apps.orgs.roles import ALL_CODES
from apps.orgs.signals import quota_exceeded, quota_warning
from tests.factories import make_environment, make_server


def kinds():
    return list(Event.objects.order_by("happened_at").values_list("kind", flat=True))


def test_the_ten_kinds_of_the_product_and_the_later_ones_exist():
    names = {kind.name for kind in webhook_kinds()}
    assert {
        *("deploy.started", "deploy.completed", "deploy.failed", "deploy.cancelled"),
        *("environment.created", "environment.deleted", "environment.status_changed"),
        *("automation_rule.triggered", "automation_rule.completed", "automation_rule.failed"),
    } <= names
    assert {name.split(".")[0] for name in names} >= {"backup", "restore", "drill", "approval", "certificate", "quota"}
    assert {kind.permission for kind in all_kinds()} <= ALL_CODES


def test_a_kind_is_registered_once():
    register(get_kind("deploy.failed"))
    with pytest.raises(ValueError, match="twice"):
        register(Kind("deploy.failed", "Something else", "Other", "org.view"))


def test_an_unknown_kind_is_a_mistake_of_ours(cast):
    with pytest.raises(KeyError):
        publish(kind="deploy.exploded", organization=cast.acme, title="x", key="x")


def test_an_event_comes_and_goes_with_its_transaction(cast):
    def fail():
        with transaction.atomic():
            assert publish(kind="quota.warning", organization=cast.acme, title="x", key="a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not Event.objects.exists()


def test_an_event_is_written_once_however_often_it_is_told(cast):
    assert publish(kind="quota.warning", organization=cast.acme, title="x", key="a")
    assert not publish(kind="quota.warning", organization=cast.acme, title="x", key="a")
    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_told_by_many_at_once_it_is_written_once(cast):
    written = []

    def tell():
        try:
            written.append(publish(kind="quota.warning", organization=cast.acme, title="x", key="a"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=tell) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(written) == [False] * 7 + [True]
    assert Event.objects.count() == 1


def test_what_cannot_be_written_breaks_nothing(cast, caplog):
    with transaction.atomic():
        # PostgreSQL keeps no NUL in JSON; masking takes it out of values, not out of names.
        assert not publish(kind="quota.warning", organization=cast.acme, title="x", key="a", data={"\0": 1})
        cast.acme.refresh_from_db()
    assert "could not be written" in caplog.text
    assert not Event.objects.exists()


def test_secrets_do_not_get_into_a_payload(cast):
    data = {"address": "https://robot:s3cret-word@git.example.com/", "list": ["\x1b[31mred", None, 5, True]}
    publish(kind="quota.warning", organization=cast.acme, title="x" * 900, key="a", data=data)
    event = Event.objects.get()
    assert "s3cret-word" not in json.dumps(event.payload)
    assert event.payload["data"]["list"] == ["red", None, 5, True]
    assert len(event.title) == 300


def test_an_environment_that_is_made(cast, project):
    environment = make_environment(project, "staging")
    event = Event.objects.get(kind="environment.created")
    assert event.actor == cast.alice
    body = body_of(event)
    assert body["environment"] == {
        "id": str(environment.pk),
        "name": environment.name,
        "slug": environment.slug,
        "env_type": "staging",
        "status": "pending",
        "url": environment.url,
    }
    assert body["organization"]["slug"] == "acme"
    assert body["actor"] == {"id": str(cast.alice.pk), "name": "Alice"}
    assert body["created_at"].endswith("Z")
    assert body["url"].endswith(f"/o/acme/p/{project.slug}/{environment.slug}/")
    cast.alice.delete()
    assert body_of(Event.objects.get(pk=event.pk))["actor"] is None


def test_an_environment_that_changes_its_state(environment):
    with transaction.atomic():
        set_status(environment, Status.ERROR, "No answer.")
        set_status(environment, Status.ERROR, "Still no answer.")
    event = Event.objects.get(kind="environment.status_changed")
    assert event.payload["data"] == {"previous_status": "pending", "status": "error", "reason": "No answer."}


def test_an_environment_that_is_destroyed(cast, environment):
    operation = destroy_environment(
        environment=environment, actor=cast.anna, confirmation=expected_confirmation(environment), understood=True
    )
    end(operation, OperationStatus.COMPLETED)
    event = Event.objects.get(kind="environment.deleted")
    assert event.actor == cast.anna
    assert event.payload["environment"]["status"] == "deleted"


@pytest.fixture
def deployment(cast, project):
    environment = make_environment(project, "production", server=make_server(cast.acme))
    return deployments.deploy(environment=environment, user=cast.bob)


def end(operation: Operation, status: str, failure: Failure | None = None) -> None:
    with transaction.atomic():
        row = Operation.objects.select_for_update(of=("self",)).get(pk=operation.pk)
        row.started_at = row.started_at or clock.now()
        if status != OperationStatus.COMPLETED:
            store_outcome(row, status, failure)
        finish(row)


def test_a_deployment_that_fails(deployment):
    failure = Failure("deployments.install_failed", "Odoo could not install sale.", "Correct the module.", "user")
    end(deployment.operation, OperationStatus.FAILED, failure)
    event = Event.objects.get(kind="deploy.failed")
    told = event.payload["data"]["deployment"]
    assert told["error"] == "Odoo could not install sale."
    assert told["hint"] == "Correct the module."
    assert told["task_id"] == str(deployment.operation_id)
    assert told["number"] == 1
    assert told["finished_at"].endswith("Z")
    assert event.payload["environment"]["status"] == "error", "as it is when the deployment is over"
    assert event.path.endswith("/deployments/1/")


def test_a_deployment_that_is_cancelled_before_it_began(cast, deployment):
    operations.cancel(operation=deployment.operation, user=cast.bob)
    assert [kind for kind in kinds() if kind.startswith("deploy.")] == ["deploy.cancelled"]


def test_a_beginning_and_an_end_that_are_told_twice_are_one_event_each(deployment):
    for _ in range(2):
        operation_started.send(Operation, operation=deployment.operation)
    Operation.objects.filter(pk=deployment.operation_id).update(status="cancelled", finished_at=clock.now())
    deployment.operation.refresh_from_db()
    for _ in range(2):
        operation_ended.send(Operation, operation=deployment.operation)
    assert [kind for kind in kinds() if kind.startswith("deploy.")] == ["deploy.started", "deploy.cancelled"]


def test_a_receiver_that_fails_does_not_keep_an_operation_from_ending(deployment, caplog):
    def broken(sender, **details):
        raise RuntimeError("A receiver is broken.")

    operation_ended.connect(broken)
    try:
        end(deployment.operation, OperationStatus.CANCELLED)
    finally:
        operation_ended.disconnect(broken)
    assert Operation.objects.get(pk=deployment.operation_id).status == OperationStatus.CANCELLED
    assert "could not be told" in caplog.text


@pytest.mark.parametrize(
    ("status", "expected"),
    [("completed", "certificate.issued"), ("failed", "certificate.failed"), ("cancelled", None)],
)
def test_an_environments_own_certificate(cast, environment, status, expected):
    server = make_server(cast.acme)
    names = [environment.host_name]
    certificate = Certificate.objects.create(organization=cast.acme, names=names, directory_url="https://a/")
    Route.objects.create(environment=environment, server=server, host_name=environment.host_name)
    operation = Operation(
        kind="domains.issue_certificate",
        organization=cast.acme,
        subject_type="domains.certificate",
        subject_id=certificate.pk,
        status=status,
    )
    operation_ended.send(Operation, operation=operation)
    assert [kind for kind in kinds() if kind.startswith("certificate.")] == ([expected] if expected else [])
    Certificate.objects.update(organization=None)
    Event.objects.all().delete()
    del operation.subject
    operation_ended.send(Operation, operation=operation)
    assert not Event.objects.exists(), "a shared certificate is the platform's matter"


def test_quotas(cast):
    for _ in range(3):
        quota_warning.send(None, organization=cast.acme, resource="memory", used="13 GB", total="16 GB")
        problem = Conflict("operations.task_in_progress", title="A", status="running")
        quota_exceeded.send(None, organization=cast.acme, problem=problem)
    assert sorted(kinds()) == ["quota.exceeded", "quota.warning"]
    assert Event.objects.get(kind="quota.exceeded").title == problem.title
