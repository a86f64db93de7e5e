"""From an allocation to what each part gets: sensible for every size, and never more than there is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.exceptions import Problem
from apps.environments import allocation

SIZES = st.integers(512, 256 * 1024)
CORES = st.decimals("0.25", "64", places=2)


def split(cpu: str, memory: int, **chosen: int) -> tuple[allocation.Tuning, allocation.Allocation]:
    tuning = allocation.tune(cpu=Decimal(cpu), memory_megabytes=memory, use_pgbouncer=True, chosen=chosen)
    return tuning, allocation.split(
        cpu=Decimal(cpu),
        memory_megabytes=memory,
        workers=tuning.workers,
        max_cron_threads=tuning.max_cron_threads,
        use_pgbouncer=True,
    )


@pytest.mark.parametrize(
    ("environment_type", "cpu", "memory", "workers"),
    [("development", 1, 2048, 2), ("staging", 2, 4096, 4), ("production", 4, 8192, 8)],
)
def test_the_types_have_the_defaults_of_the_specification(environment_type, cpu, memory, workers):
    defaults = allocation.DEFAULTS[environment_type]
    assert (defaults.cpu, defaults.memory_megabytes) == (cpu, memory)
    tuning, _ = split(str(cpu), memory)
    assert tuning.workers == workers


def test_postgresql_gets_thirty_percent():
    _, parts = split("4", 8192)
    assert parts.postgres_memory_megabytes == 2457
    assert parts.postgres_cpu == Decimal("1.20")


@pytest.mark.parametrize("memory", [512, 768, 1024])
def test_a_small_environment_runs_without_workers(memory):
    tuning, parts = split("0.5", memory)
    assert tuning.workers == 0
    assert not parts.has_gevent
    assert parts.processes == 1
    assert parts.odoo_memory_megabytes >= 300


@given(cpu=CORES, memory=SIZES, pooled=st.booleans())
def test_the_parts_are_never_more_than_the_whole(cpu, memory, pooled):
    tuning = allocation.tune(cpu=cpu, memory_megabytes=memory, use_pgbouncer=pooled)
    parts = allocation.split(
        cpu=cpu,
        memory_megabytes=memory,
        workers=tuning.workers,
        max_cron_threads=tuning.max_cron_threads,
        use_pgbouncer=pooled,
    )
    memories = (parts.odoo_memory_megabytes, parts.postgres_memory_megabytes, parts.pgbouncer_memory_megabytes)
    assert sum(memories) == memory
    assert parts.odoo_cpu + parts.postgres_cpu + parts.pgbouncer_cpu == cpu
    assert min(parts.odoo_cpu, parts.postgres_cpu) > 0
    soft, hard = parts.limit_memory_soft, parts.limit_memory_hard
    assert (soft, hard) == (0, 0) or 500 * 2**20 < soft < hard < parts.odoo_memory_megabytes * 2**20
    assert hard or not parts.workers


@given(cpu=CORES, memory=SIZES, pooled=st.booleans())
def test_derived_numbers_always_pass_the_checks(cpu, memory, pooled):
    tuning = allocation.tune(cpu=cpu, memory_megabytes=memory, use_pgbouncer=pooled)
    allocation.check_workers(
        workers=tuning.workers,
        max_cron_threads=tuning.max_cron_threads,
        memory_megabytes=memory,
        use_pgbouncer=pooled,
    )
    allocation.check_connections(use_pgbouncer=pooled, **vars(tuning))


@given(
    memory=st.integers(4096, 65536),
    pooled=st.booleans(),
    chosen=st.fixed_dictionaries(
        {},
        optional={
            "workers": st.integers(0, 8),
            "pool_size": st.integers(60, 500),
            "max_connections": st.integers(600, 1000),
        },
    ),
)
def test_what_somebody_chose_stays_and_the_rest_follows(memory, pooled, chosen):
    tuning = allocation.tune(cpu=Decimal(4), memory_megabytes=memory, use_pgbouncer=pooled, chosen=chosen)
    assert {name: getattr(tuning, name) for name in chosen} == chosen
    allocation.check_connections(use_pgbouncer=pooled, **vars(tuning))


def test_too_many_connections_are_refused_with_the_sum():
    with pytest.raises(Problem) as caught:
        allocation.check_connections(
            workers=8, max_cron_threads=2, db_maxconn=64, pool_size=100, max_connections=200, use_pgbouncer=True
        )
    assert "(8 workers + 2 cron + 1 gevent) x db_maxconn 64 = 704" in caught.value.title
    assert "allows 100" in caught.value.title
    assert "Set db_maxconn to 9 or less" in caught.value.what_to_do


def test_without_a_pool_max_connections_is_the_limit():
    numbers = {"workers": 4, "max_cron_threads": 2, "pool_size": 20, "use_pgbouncer": False}
    allocation.check_connections(db_maxconn=10, max_connections=90, **numbers)
    with pytest.raises(Problem, match="= 70, but max_connections"):
        allocation.check_connections(db_maxconn=10, max_connections=89, **numbers)


def test_a_pool_larger_than_postgresql_is_refused():
    with pytest.raises(Problem, match="max_connections 100"):
        allocation.check_connections(
            workers=2, max_cron_threads=1, db_maxconn=8, pool_size=90, max_connections=100, use_pgbouncer=True
        )


def test_more_workers_than_memory_are_refused():
    with pytest.raises(Problem, match="19 Odoo processes need at least 2850 MB"):
        allocation.check_workers(workers=16, max_cron_threads=2, memory_megabytes=2048, use_pgbouncer=False)
