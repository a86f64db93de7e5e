"""The connections to the database are cut while an operation runs: it goes on, and nothing is lost or doubled."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from django.db import connection

from apps.operations.models import LogLine, Operation, Status
from tests.operations.conftest import wait_for, wait_until_over

pytestmark = pytest.mark.django_db(transaction=True)


def cut_all(outside: psycopg.Connection) -> int:
    """Ends every session on the test database but this one."""
    query = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    )
    return outside.execute(query, [connection.settings_dict["NAME"]]).fetchone()[0]


@pytest.fixture
def outside(db):
    """A connection that is none of Django's."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters, autocommit=True) as opened:
        yield opened


def test_it_goes_on_although_all_connections_are_cut_again_and_again(queue, work, world, outside):
    log = world.folder / "log-third"
    operation = queue("toy.long", follow="third")
    stop = threading.Event()

    def write_outside() -> None:
        with log.open("a", buffering=1) as file:
            for number in range(600):
                file.write(f"outside {number}\n")
                time.sleep(0.005)
            file.write("end\n")

    writer = threading.Thread(target=write_outside)
    work(operation)
    connection.close()
    wait_for(lambda: world.count("third", "begin"))
    writer.start()
    cuts = 0
    while writer.is_alive():
        cuts += cut_all(outside)
        stop.wait(0.4)
    writer.join()
    assert cuts > 5
    connection.close()
    operation = wait_until_over(operation)
    assert (operation.status, operation.attempt) == (Status.COMPLETED, 1)
    lines = LogLine.objects.filter(operation=operation).order_by("sequence")
    assert [line.sequence for line in lines] == list(range(1, operation.log_sequence + 1))
    texts = [line.text for line in lines if line.text.startswith("outside")]
    assert texts == [f"outside {number}" for number in range(600)]
    assert {world.count(name, "make") for name in ("first", "second", "third", "fourth", "fifth", "last")} == {1}
    assert world.count("hook", "success") == 1


def test_a_cut_between_two_steps_does_no_harm(queue, work, world, outside):
    operation = queue("toy.two", gate="one")
    work(operation)
    wait_for(lambda: world.count("one", "begin"))
    connection.close()
    assert cut_all(outside) >= 1
    world.gate("one").touch()
    operation = wait_until_over(operation)
    assert operation.status == Status.COMPLETED
    assert {step.attempt for step in operation.steps.all()} == {1}
    assert Operation.objects.get().log_sequence == 4
