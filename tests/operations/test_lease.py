"""The lease: one worker at a time, and nothing written by one that lost it."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import timedelta

import psycopg
import pytest
from django.db import Error, connection, transaction
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from apps.operations import bell
from apps.operations.exceptions import LeaseLost
from apps.operations.lease import claim, fenced, release, renew
from apps.operations.models import LogLine, Operation, Status
from apps.operations.persist import is_connection_error
from apps.operations.runner import run_operation
from tests.operations.conftest import wait_for, wait_until_over
from tests.operations.test_lock_key import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


def connection_string():
    """The test database, for a connection that is none of Django's."""
    parts = connection.get_connection_params()
    return make_conninfo(**{name: parts[name] for name in ("host", "port", "user", "password", "dbname")})


def expire(operation):
    Operation.objects.filter(pk=operation.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_of_twenty_workers_at_once_exactly_one_takes_it(queue):
    operation = queue("toy.two")
    results = in_threads(20, lambda: claim(operation.pk) is not None)
    assert sorted(results) == ["False"] * 19 + ["True"]
    operation.refresh_from_db()
    assert operation.attempt == 1


def test_of_twenty_workers_at_once_exactly_one_takes_over(queue):
    operation = queue("toy.two")
    claim(operation.pk)
    assert claim(operation.pk) is None, "the lease holds"
    expire(operation)
    results = in_threads(20, lambda: claim(operation.pk) is not None)
    assert sorted(results) == ["False"] * 19 + ["True"]


def test_bells_that_ring_twice_at_once_run_it_once(queue, world):
    operation = queue("toy.two")
    results = in_threads(6, lambda: run_operation(operation.pk))
    assert sorted(results) == ["False"] * 5 + ["True"]
    assert [world.count("one", "begin"), world.count("two", "begin")] == [1, 1]
    assert not run_operation(operation.pk), "a bell that comes late takes nothing"


def test_a_lease_is_as_long_as_the_setting_says_by_the_databases_clock(queue, settings):
    operation = queue("toy.two")
    claim(operation.pk)
    operation.refresh_from_db()
    left = (operation.lease_expires_at - timezone.now()).total_seconds()
    assert settings.OPERATION_LEASE_SECONDS - 1 < left <= settings.OPERATION_LEASE_SECONDS + 0.5


def test_who_lost_the_lease_writes_nothing(queue):
    operation = queue("toy.two")
    old = claim(operation.pk)
    expire(operation)
    new = claim(operation.pk)
    assert not renew(old)
    assert renew(new)
    entered = []
    with pytest.raises(LeaseLost), fenced(old):
        entered.append("the block")
    assert entered == []
    release(old)
    operation.refresh_from_db()
    assert (operation.status, operation.lease_token) == (Status.RUNNING, new.token)


def test_a_claim_waits_for_a_transaction_that_holds_the_row(queue):
    """Between the look at the token and the commit nobody takes over."""
    operation = queue("toy.two")
    lease = claim(operation.pk)
    taken = []

    def take() -> None:
        taken.append(claim(operation.pk))
        connection.close()

    expire(operation)
    with fenced(lease):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join(0.3)
        assert taken == []
    thread.join(5)
    assert taken[0].token != lease.token


def test_a_worker_that_freezes_inside_a_transaction_does_not_hold_the_row(queue):
    """The database ends a session that is silent for 8 s in a fenced transaction."""
    operation = queue("toy.two")
    lease = claim(operation.pk)
    recorded: list[str] = []
    with (
        connection.execute_wrapper(lambda execute, sql, *rest: recorded.append(sql) or execute(sql, *rest)),
        fenced(lease),
    ):
        held = connection.cursor().execute("SHOW idle_in_transaction_session_timeout").fetchone()
    assert held == ("8s",)
    assert sum("FOR NO KEY UPDATE" in sql for sql in recorded) == 1, "the fence costs one statement"
    with psycopg.connect(connection_string()) as frozen:
        frozen.execute("SET LOCAL idle_in_transaction_session_timeout = '8s'")
        frozen.execute("SELECT 1 FROM operations_operation WHERE id = %s FOR NO KEY UPDATE", [operation.pk])
        started = time.monotonic()
        assert renew(lease)
        assert 7 < time.monotonic() - started < 10
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            frozen.execute("SELECT 1")


def test_a_run_whose_lease_is_taken_stops_and_its_late_words_are_not_stored(queue, work, world):
    operation = queue("toy.long", gate="third")
    thread = work(operation)
    wait_for(lambda: world.count("third", "begin"))
    expire(operation)
    # Another worker comes first: its heartbeat is late, ours found no time to renew.
    taken = claim(operation.pk)
    if taken is None:
        pytest.fail("The claim came after a renewal, although they are 3 s apart.")
    thread.join(5)
    assert not thread.is_alive()
    assert world.count("third", "end") == 0
    operation.refresh_from_db()
    assert (operation.status, operation.lease_token) == (Status.RUNNING, taken.token)
    assert operation.steps.get(name="third").status == Status.RUNNING
    release(taken)
    world.gate("third").touch()
    assert run_operation(operation.pk)
    operation = wait_until_over(operation)
    assert operation.status == Status.COMPLETED
    steps = {step.name: (step.attempt, step.interruptions) for step in operation.steps.all()}
    assert steps["second"] == (1, 0)
    assert steps["third"] == (2, 1)
    assert [world.count("third", "begin"), world.count("third", "make"), world.count("second", "begin")] == [2, 1, 1]
    sequences = list(LogLine.objects.filter(operation=operation).values_list("sequence", flat=True))
    assert sequences == list(range(1, operation.log_sequence + 1))


def test_a_step_that_kills_its_worker_again_and_again_fails_at_last(queue, world):
    operation = queue("toy.two")
    operation.steps.filter(name="one").update(status=Status.RUNNING, attempt=6, interruptions=5)
    assert run_operation(operation.pk)
    operation.refresh_from_db()
    assert (operation.status, operation.error_code) == (Status.FAILED, "operations.interrupted_too_often")
    assert "died 6 times" in operation.error
    assert world.count("one", "begin") == 0


def test_many_claims_ask_for_attention(queue):
    operation = queue("toy.two")
    Operation.objects.filter(pk=operation.pk).update(attempt=25)
    assert run_operation(operation.pk)
    operation.refresh_from_db()
    assert operation.needs_attention
    assert operation.attention_reason.startswith("26 workers")


@pytest.fixture
def forgotten(queue):
    """Operations whose bells were lost, by what should be rung."""

    def make(**fields):
        operation = queue("toy.two", lock_key=str(uuid.uuid4()))
        Operation.objects.filter(pk=operation.pk).update(**fields)
        return operation

    return make


def test_the_scan_rings_for_what_waits_and_for_nothing_else(forgotten):
    long_ago, just_now = timezone.now() - timedelta(seconds=11), timezone.now()
    running = {"status": Status.RUNNING, "rung_at": None}
    waiting = [
        forgotten(rung_at=None),
        forgotten(rung_at=long_ago),
        forgotten(**running, lease_expires_at=just_now - timedelta(seconds=1)),
    ]
    forgotten(rung_at=just_now)
    forgotten(**running, lease_expires_at=just_now + timedelta(seconds=5))
    forgotten(status=Status.PENDING, rung_at=None)
    forgotten(status=Status.FAILED, finished_at=just_now, rung_at=None)
    assert bell.ring_expired() == 3
    for operation in waiting:
        operation.refresh_from_db()
        assert operation.rung_at >= just_now
    assert bell.ring_expired() == 0, "a second scan has nothing to do"


def test_two_scans_at_once_ring_once(forgotten):
    for number in range(20):
        forgotten(rung_at=None, title=str(number))
    assert sum(map(int, in_threads(4, bell.ring_expired))) == 20


def test_the_errors_of_a_broken_connection_are_told_from_others(queue):
    operation = queue("toy.two")
    lease = claim(operation.pk)
    with pytest.raises(Error) as refused:
        connection.cursor().execute("SELECT 1 / 0")
    assert not is_connection_error(refused.value)
    with pytest.raises(Error) as ended, fenced(lease):
        connection.cursor().execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert is_connection_error(ended.value)
    connection.close()
    connection.cursor().execute("SET idle_in_transaction_session_timeout = '50ms'")
    transaction.set_autocommit(False)
    connection.cursor().execute("SELECT 1")
    time.sleep(0.3)
    with pytest.raises(Error) as silent:
        connection.cursor().execute("SELECT 1")
    connection.close()
    assert is_connection_error(silent.value)
