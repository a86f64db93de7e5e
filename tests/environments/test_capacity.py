"""A server never promises more than it has, and says what is missing."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from django.db import connection

from apps.core.exceptions import Conflict
from apps.environments.capacity import server_capacity
from apps.environments.models import Environment
from apps.environments.services import create_environment, resize
from tests.factories import make_environment, make_project, make_server

GIGABYTE = 1024


def small(project, server, **fields):
    return make_environment(
        project, server=server, **({"cpu": Decimal(1), "memory_megabytes": 2048, "disk_megabytes": 10240} | fields)
    )


@pytest.mark.parametrize(
    ("facts", "resource", "numbers"),
    [
        ({"cpu_count": 1}, "CPU", "2 cores wanted, 1 cores free"),
        ({"memory_megabytes": 3 * GIGABYTE}, "memory", "4096 MB wanted, 2560 MB free"),
        ({"disk_total_megabytes": 20 * GIGABYTE}, "disk", "20480 MB wanted, 18432 MB free"),
    ],
)
def test_what_is_missing_is_named_with_numbers(cast, facts, resource, numbers):
    server = make_server(cast.acme, **facts)
    with pytest.raises(Conflict) as caught:
        make_environment(make_project(cast.acme), "staging", server=server)
    assert caught.value.code == "environments.over_capacity"
    assert f"has not enough {resource}: {numbers}" in caught.value.title
    assert not Environment.objects.exists()


def test_cpu_may_be_promised_several_times_memory_never(cast):
    server = make_server(cast.acme, cpu_count=1, memory_megabytes=8 * GIGABYTE, cpu_overcommit=Decimal(3))
    project = make_project(cast.acme)
    for _ in range(3):
        small(project, server)
    with pytest.raises(Conflict, match="CPU: 1 cores wanted, 0 cores free"):
        small(project, server)
    with pytest.raises(Conflict, match="memory: 2048 MB wanted, 1536 MB free"):
        small(project, make_server(cast.acme, memory_megabytes=2 * GIGABYTE))


def test_no_more_than_ten_environments(cast):
    server, project = make_server(cast.acme), make_project(cast.acme)
    for _ in range(10):
        small(project, server, cpu=Decimal("0.5"), memory_megabytes=512)
    with pytest.raises(Conflict, match="environments: 1 wanted, 0 free"):
        small(project, server, cpu=Decimal("0.5"), memory_megabytes=512)


def test_a_destroyed_environment_releases_everything_at_once(cast):
    server, project = make_server(cast.acme, memory_megabytes=2560), make_project(cast.acme)
    first = small(project, server)
    Environment.objects.filter(pk=first.pk).update(status="deleted", subnet="")
    assert small(project, server).server == server


def test_capacity_counts_stopped_ones_too(cast):
    server = make_server(cast.acme, cpu_count=4, memory_megabytes=8704, disk_total_megabytes=100 * GIGABYTE)
    small(make_project(cast.acme), server, status="stopped")
    cpu, memory, disk, environments = server_capacity(server)
    assert (cpu.total, cpu.allocated, cpu.free) == (4, 1, 3)
    assert (memory.total, memory.allocated, memory.percent) == (8192, 2048, 25)
    assert (disk.total, disk.allocated) == (92160, 10240)
    assert (environments.total, environments.allocated) == (10, 1)
    assert not cpu.is_nearly_full


def test_a_server_that_is_not_ready_takes_nothing(cast):
    server = make_server(cast.acme, status="unreachable", status_reason="no answer")
    with pytest.raises(Conflict, match="not ready: no answer"):
        small(make_project(cast.acme), server)


def test_growing_counts_what_one_has_already(cast):
    server = make_server(cast.acme, cpu_count=4, memory_megabytes=4608, disk_total_megabytes=100 * GIGABYTE)
    environment = small(make_project(cast.acme), server)
    assert (
        resize(environment=environment, cpu=Decimal(4), memory_megabytes=4096, disk_megabytes=10240, actor=cast.alice)
        is None
    )
    environment.refresh_from_db()
    assert environment.memory_megabytes == 4096
    with pytest.raises(Conflict, match="memory: 4608 MB wanted, 4096 MB free"):
        resize(environment=environment, cpu=Decimal(4), memory_megabytes=4608, disk_megabytes=10240, actor=cast.alice)


def test_each_environment_has_a_network_of_its_own(cast):
    server, project = make_server(cast.acme), make_project(cast.acme)
    first, second = small(project, server), small(project, server)
    assert (first.subnet, second.subnet) == ("10.96.0.0/28", "10.96.0.16/28")
    assert second.addresses["db"] == "10.96.0.19"
    assert len(set(second.addresses.values())) == len(second.addresses)


def test_a_range_without_room_is_told(cast):
    server = make_server(cast.acme, network_range="10.96.0.0/28")
    project = make_project(cast.acme)
    small(project, server)
    with pytest.raises(Conflict, match="are in use"):
        small(project, server)


@pytest.mark.django_db(transaction=True)
def test_twelve_at_once_never_take_more_than_there_is(cast):
    server = make_server(cast.acme, cpu_count=4, memory_megabytes=64 * GIGABYTE)
    project = make_project(cast.acme)
    start, refused = threading.Barrier(12), []

    def create() -> None:
        try:
            start.wait(30)
            create_environment(project=project, environment_type="development", actor=cast.alice, server=server)
        except Conflict as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Environment.objects.count() == 4
    assert refused == ["environments.over_capacity"] * 8
