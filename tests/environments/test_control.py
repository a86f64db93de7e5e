"""Start, stop, restart, pause, resume, resize and sync, on real containers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.core.exceptions import Conflict, Problem
from apps.environments.actions import request_action
from apps.environments.services import resize
from apps.operations import services as operations
from apps.operations.models import Operation
from apps.servers.models import Server

pytestmark = pytest.mark.lab


@pytest.fixture
def ask(cast, environment, containers, finish):
    """`ask("stop")`: asks, works on it to its end, and returns the operation."""

    def asked(action):
        environment.refresh_from_db()
        operation = finish(request_action(environment=environment, action=action, user=cast.bob))
        environment.refresh_from_db()
        return operation

    return asked


@pytest.fixture
def states(host, containers):
    return lambda: {part: host.docker.containers.get(name).status for part, name in containers.items()}


def everything(state):
    return dict.fromkeys(("db", "pgbouncer", "odoo"), state)


def test_stop_and_start(ask, states, environment):
    assert ask("stop").status == "completed"
    assert (environment.status, states()) == ("stopped", everything("exited"))
    assert ask("start").status == "completed"
    assert (environment.status, states()) == ("running", everything("running"))


def test_pause_resume_and_stop_from_pause(ask, states, environment):
    ask("pause")
    assert (environment.status, states()) == ("paused", everything("paused"))
    ask("resume")
    assert (environment.status, states()) == ("running", everything("running"))
    ask("pause")
    ask("stop")
    assert (environment.status, states()) == ("stopped", everything("exited"))


def test_restart_leaves_postgresql_alone(ask, host, containers, environment):
    def started():
        return {part: host.docker.containers.get(name).attrs["State"]["StartedAt"] for part, name in containers.items()}

    before = started()
    ask("restart")
    after = started()
    assert environment.status == "running"
    assert before["db"] == after["db"]
    assert before["odoo"] != after["odoo"]


@pytest.mark.parametrize(
    ("happens", "status", "words"),
    [
        ("nothing", "running", ""),
        ("stopped", "stopped", ""),
        ("paused", "paused", ""),
        ("odoo dies", "error", "odoo is exited"),
        ("db is gone", "error", "db is missing"),
    ],
)
def test_sync_reads_the_truth(ask, host, containers, environment, happens, status, words):
    odoo, db = (host.docker.containers.get(containers[part]) for part in ("odoo", "db"))
    if happens == "odoo dies":
        odoo.kill()
    elif happens == "db is gone":
        db.remove(force=True)
    elif happens != "nothing":
        for name in containers.values():
            container = host.docker.containers.get(name)
            container.stop(timeout=1) if happens == "stopped" else container.pause()
    ask("sync")
    assert environment.status == status
    assert words in environment.status_reason
    assert environment.synced_at is not None


def test_resize_changes_what_runs_at_once(cast, environment, containers, host, finish):
    operation = resize(
        environment=environment, cpu=Decimal("0.5"), memory_megabytes=2048, disk_megabytes=10240, actor=cast.alice
    )
    assert finish(operation).status == "completed"
    limits = {part: host.docker.containers.get(name).attrs["HostConfig"] for part, name in containers.items()}
    assert limits["db"]["Memory"] == 614 * 2**20
    assert limits["odoo"]["Memory"] == (2048 - 614 - 32) * 2**20
    assert limits["db"]["CpuQuota"] / limits["db"]["CpuPeriod"] == 0.15
    environment.refresh_from_db()
    assert environment.memory_megabytes == 2048
    assert environment.status == "running"


def test_what_fails_leaves_the_state_with_the_reason(ask, host, containers, environment):
    host.docker.containers.get(containers["odoo"]).remove(force=True)
    ask("stop")
    operation = ask("start")
    assert operation.status == "failed"
    assert operation.error_code == "environments.part_missing"
    assert environment.status == "stopped"
    assert "“odoo” of the environment is not on the server" in environment.status_reason


def test_a_resize_that_fails_gives_the_allocation_back(cast, environment, containers, finish):
    Server.objects.filter(pk=environment.server_id).update(host_key="ssh-ed25519 AAAA")
    operation = resize(
        environment=environment, cpu=Decimal(2), memory_megabytes=4096, disk_megabytes=10240, actor=cast.alice
    )
    assert finish(operation).status == "failed"
    environment.refresh_from_db()
    assert (environment.cpu, environment.memory_megabytes) == (1, 1024)


def test_an_action_that_waits_can_be_cancelled(cast, environment, containers):
    operation = request_action(environment=environment, action="stop", user=cast.bob)
    operations.cancel(operation=operation, user=cast.bob)
    environment.refresh_from_db()
    assert environment.status == "running"
    assert request_action(environment=environment, action="stop", user=cast.bob).status == "queued"


def test_one_action_at_a_time(cast, environment):
    request_action(environment=environment, action="stop", user=cast.bob)
    for action in ("stop", "pause", "sync"):
        with pytest.raises(Conflict) as caught:
            request_action(environment=environment, action=action, user=cast.alice)
        assert caught.value.code == "operations.task_in_progress"
    assert Operation.objects.count() == 1


def test_retrying_a_failed_action_asks_the_state_again(cast, ask, host, containers, environment):
    host.docker.containers.get(containers["odoo"]).remove(force=True)
    ask("stop")
    failed = ask("start")
    again = operations.retry(operation=failed, user=cast.bob)
    assert (again.kind, again.status) == ("environment.start", "queued")
    with pytest.raises(Conflict):
        operations.retry(operation=failed, user=cast.bob)


def test_there_are_no_other_actions(cast, environment):
    with pytest.raises(Problem) as caught:
        request_action(environment=environment, action="explode", user=cast.bob)
    assert caught.value.code == "environments.unknown_action"
