"""A long command in a container of its own: not a line lost or doubled, whatever happens on the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from apps.operations import services as operations
from apps.operations.models import LogLine, Operation, Status
from apps.operations.pipeline import register
from apps.operations.runner import run_operation
from tests.lab.server import LabServer
from tests.servers.jobs_pipeline import KIND, PIPELINE

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parent.parent.parent
COUNT = "i=0; while [ $i -lt {lines} ]; do echo line $i; echo error $i >&2; i=$((i+1)); {pause} done"


@pytest.fixture
def queue(reach, lab_server: LabServer, cast) -> Callable[..., Operation]:
    """`queue(script="echo x")`: queues a job on the lab's server."""
    register(PIPELINE)
    pack = "mkdir -p /tmp/i/bin && cp /bin/busybox /tmp/i/bin && tar -C /tmp/i -c . | docker import - lab/busybox"
    lab_server.run(["sh", "-c", pack])
    server = reach(lab_server)

    def make(**parameters) -> Operation:
        return operations.queue(
            kind=KIND,
            subject=server,
            organization=cast.acme,
            lock_key=f"test:{time.monotonic_ns()}",
            parameters=parameters,
        )

    return make


def finish(operation: Operation) -> Operation:
    run_operation(operation.pk)
    return Operation.objects.get(pk=operation.pk)


def lines_of(operation: Operation) -> list[tuple[str, str]]:
    rows = LogLine.objects.filter(operation=operation, level__in=["INFO", "ERROR"]).order_by("sequence")
    return list(rows.values_list("level", "text"))


def assert_counted(operation: Operation, count: int) -> None:
    """Every line once, in the order of its stream."""
    lines = lines_of(operation)
    assert [text for level, text in lines if level == "INFO"] == [f"line {number}" for number in range(count)]
    assert [text for level, text in lines if level == "ERROR"] == [f"error {number}" for number in range(count)]


def containers_of(machine: LabServer) -> list[str]:
    client = machine.docker
    try:
        names = [found["Names"][0].lstrip("/") for found in client.api.containers(all=True)]
        return [name for name in names if name.endswith("_count")]
    finally:
        client.close()


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.1)


def count_lines(operation: Operation) -> int:
    return LogLine.objects.filter(operation=operation).count()


def test_a_job_runs_and_is_collected(queue, lab_server) -> None:
    operation = finish(queue(script=COUNT.format(lines=3000, pause="")))
    assert operation.status == Status.COMPLETED, lines_of(operation)[-3:]
    assert operation.data["exit_code"] == 0
    assert_counted(operation, 3000)
    assert containers_of(lab_server) == []


def test_its_exit_code_comes_back(queue, lab_server) -> None:
    operation = finish(queue(script="echo said; exit 7"))
    assert operation.data["exit_code"] == 7
    assert ("INFO", "said") in lines_of(operation)
    assert containers_of(lab_server) == []


def test_a_last_line_without_an_end_and_long_lines(queue) -> None:
    script = "printf 'x%.0s' $(seq 1 3900); echo; printf unfinished"
    operation = finish(queue(script="PATH=/bin; " + script.replace("seq", "/bin/busybox seq")))
    texts = [text for _, text in lines_of(operation)]
    assert texts == ["x" * 3900, "unfinished"]


def test_a_line_that_docker_cuts_into_pieces_is_one_line(queue) -> None:
    """Beyond 16 KB a line comes in several messages; the log stores the beginning and how long it was."""
    operation = finish(queue(script="/bin/busybox head -c 40000 /dev/zero | /bin/busybox tr '\\0' y; echo; echo next"))
    texts = [text for _, text in lines_of(operation)]
    assert len(texts) == 2
    assert "40000 characters" in texts[0]
    assert texts[1] == "next"


def test_connections_cut_again_and_again(queue, lab_server) -> None:
    operation = queue(script=COUNT.format(lines=160, pause="/bin/busybox usleep 50000;"))
    done = threading.Event()

    def cut() -> None:
        while not done.wait(2.5):
            lab_server.drop_connections()

    saboteur = threading.Thread(target=cut)
    saboteur.start()
    try:
        operation = finish(operation)
    finally:
        done.set()
        saboteur.join()
    assert operation.status == Status.COMPLETED, operation.error
    assert_counted(operation, 160)
    assert containers_of(lab_server) == []


@pytest.mark.slow
def test_a_worker_killed_in_the_middle(queue, lab_server) -> None:
    operation = queue(script=COUNT.format(lines=200, pause="/bin/busybox usleep 50000;"))
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.servers.worker_settings",
        "TEST_DATABASE_NAME": connection.settings_dict["NAME"],
    }
    command = [sys.executable, "-m", "tests.servers.worker", str(operation.pk)]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as worker:
        wait_for(lambda: count_lines(operation) > 30)
        worker.kill()
    before = count_lines(operation)
    assert before < 300
    wait_for(lambda: run_operation(operation.pk), 30)
    operation.refresh_from_db()
    assert operation.status == Status.COMPLETED, operation.error
    assert operation.attempt == 2
    assert_counted(operation, 200)
    assert containers_of(lab_server) == []


def test_cancel_stops_the_work_on_the_server(queue, lab_server, cast) -> None:
    operation = queue(script="while true; do echo on; /bin/busybox sleep 0.1; done")
    timer = threading.Timer(2, _cancel, [operation, cast.alice])
    timer.start()
    begun = time.monotonic()
    operation = finish(operation)
    timer.join()
    assert operation.status == Status.CANCELLED
    assert time.monotonic() - begun < 15
    assert containers_of(lab_server) == []


def _cancel(operation: Operation, user) -> None:
    try:
        operations.cancel(operation=operation, user=user)
    finally:
        connection.close()


def test_a_job_that_takes_too_long(queue, lab_server) -> None:
    operation = finish(queue(script="echo begun; /bin/busybox sleep 100", timeout=3))
    assert operation.error_code == "servers.container_job_timed_out"
    assert ("INFO", "begun") in lines_of(operation)
    assert containers_of(lab_server) == []


def test_a_job_out_of_memory_says_so(queue) -> None:
    operation = finish(
        queue(script="/bin/busybox head -c 100000000 /dev/zero | /bin/busybox tail -c 99999999", memory=16)
    )
    assert operation.status == Status.FAILED
    assert any("ran out of memory" in text for _, text in lines_of(operation))


def test_a_container_removed_by_somebody(queue, lab_server) -> None:
    operation = queue(script="echo begun; /bin/busybox sleep 60")

    def remove() -> None:
        wait_for(lambda: containers_of(lab_server))
        time.sleep(1)
        lab_server.run(["docker", "rm", "--force", *containers_of(lab_server)])

    saboteur = threading.Thread(target=remove)
    saboteur.start()
    operation = finish(operation)
    saboteur.join()
    assert operation.error_code == "servers.container_job_vanished"


def test_an_image_that_does_not_exist(queue) -> None:
    operation = finish(queue(script="true", image="lab/no-such-image"))
    assert operation.error_code == "servers.image_missing"
