"""The rules behind the golden files, each on its own."""

from __future__ import annotations

import configparser
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from apps.environments import render
from tests.environments.specifications import specification


def options(text: str) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return dict(parser["options"])


def test_secrets_are_in_no_command_line() -> None:
    found = specification()
    containers = [
        render.database_container(found, {}),
        render.pgbouncer_container(found, {}),
        render.odoo_container(found, configuration="x", release="1"),
    ]
    for container in containers:
        shown = " ".join(container.command) + str(dict(container.environment)) + str(dict(container.labels))
        assert not any(secret in shown for secret in found.secrets)


def test_the_master_password_is_hashed_and_stable() -> None:
    found = specification()
    written = options(render.odoo_conf(found))["admin_passwd"]
    assert written.startswith("$pbkdf2-sha512$25000$")
    assert "master-password" not in written
    assert written == options(render.odoo_conf(found))["admin_passwd"]
    other = replace(found, identifier="another")
    assert options(render.odoo_conf(other))["admin_passwd"] != written


def test_a_hash_is_the_one_that_passlib_makes() -> None:
    """Made with passlib 1.7.4: pbkdf2_sha512.using(rounds=1000, salt=b"0123456789abcdef").hash("correct horse")."""
    expected = (
        "$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$"
        "OM0FAoIqCVK1sWtxDiffVlBejtLa.ks4TP71JiecwuSZCG8iLbnlIEPOMoVX.i2B2wkSxjQ8CRGR9OkNGuIPMQ"
    )
    assert render.hash_password("correct horse", salt=b"0123456789abcdef", rounds=1000) == expected


def test_enterprise_stands_before_community_and_behind_the_customer_and_the_platform_behind_it() -> None:
    paths = options(render.odoo_conf(specification()))["addons_path"].split(",")
    assert paths == [
        "/mnt/addons/tools",
        "/mnt/addons/shop/addons",
        "/mnt/addons/shop/more/addons",
        "/mnt/addons/enterprise",
        "/mnt/addons/platform_tools",
        "/mnt/extra-addons",
        "/mnt/oecsh",
    ]


@pytest.mark.parametrize("version", ["14.0", "16.0", "18.0", "19.0"])
def test_no_replica_is_ever_named(version: str) -> None:
    assert "db_replica_host" not in render.odoo_conf(specification(version))


def test_customers_never_override_the_platform() -> None:
    for name in (
        "db_password",
        "admin_passwd",
        "list_db",
        "proxy_mode",
        "addons_path",
        "data_dir",
        "workers",
        "dbfilter",
    ):
        with pytest.raises(ValidationError, match=name):
            render.clean_odoo_parameters({name: "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit_time_real", "1200\nlist_db = True"),
        ("limit_time_real", "1e3"),
        ("log_level", "chatty"),
        ("email_from", "a@example.com\x00"),
        ("server_wide_modules", "queue_job;rm"),
        ("log_db", "perhaps"),
    ],
)
def test_values_are_checked(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        render.clean_odoo_parameters({name: value})


def test_allowed_parameters_are_merged() -> None:
    found = specification(
        odoo_parameters={"limit_time_real": 1200, "server_wide_modules": "queue_job,web", "unaccent": True}
    )
    written = options(render.odoo_conf(found))
    assert written["limit_time_real"] == "1200"
    assert written["server_wide_modules"] == "base,rpc,web,queue_job,oecsh_login"
    assert written["unaccent"] == "True"


def test_a_memory_limit_stays_below_the_container() -> None:
    found = specification(odoo_parameters={"limit_memory_hard": 2**39})
    limit = int(options(render.odoo_conf(found))["limit_memory_hard"])
    assert limit == found.allocation.odoo_memory_megabytes * 2**20


def test_jobs_go_straight_to_the_database() -> None:
    found = specification()
    serving, job = options(render.odoo_conf(found)), options(render.odoo_conf(found, job=True))
    assert (serving["db_host"], serving["db_port"]) == (found.address("pgbouncer"), "6432")
    assert (job["db_host"], job["db_port"]) == (found.address("db"), "5432")
    assert job["limit_memory_hard"] == job["workers"] == "0"


@pytest.mark.parametrize(
    ("name", "value"), [("work_mem", "64MB; DROP"), ("listen_addresses", "*"), ("hba_file", "x"), ("work_mem", "$(id)")]
)
def test_postgres_parameters_are_checked(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        render.clean_postgres_parameters({name: value})


def test_postgres_parameters_replace_derived_ones_only() -> None:
    found = specification(postgres_parameters={"work_mem": "99MB"})
    arguments = render.postgres_arguments(found)
    assert "work_mem=99MB" in arguments
    assert f"max_connections={found.max_connections}" in arguments
    assert len([one for one in arguments if one.startswith("work_mem=")]) == 1


def test_the_superuser_is_never_reached_over_the_network() -> None:
    lines = [line.split() for line in render.pg_hba(specification()).splitlines() if not line.startswith("#")]
    assert [line for line in lines if line[0] == "host"] == [["host", "all", "odoo", "10.96.0.16/28", "scram-sha-256"]]


def test_listening_is_always_pooled_by_session() -> None:
    text = render.pgbouncer_ini(specification(pool_mode="transaction"))
    assert "postgres = host=10.96.0.19 port=5432 dbname=postgres pool_mode=session" in text
    assert "* = host=10.96.0.19 port=5432 pool_mode=transaction" in text


def test_the_digest_tells_content_from_limits() -> None:
    found = specification()
    one = render.odoo_container(found, configuration="x", release="1")
    assert replace(one, memory_megabytes=1, cpu=Decimal(1), name="y", address="10.0.0.1").digest == one.digest
    assert replace(one, environment={"GREETING": "bye"}).digest != one.digest
    assert render.odoo_container(found, configuration="y", release="1").digest != one.digest


@pytest.mark.parametrize("change", [{"host_name": "shop-2.apps.example.com"}, {"https_port": 8443}])
def test_another_address_is_another_odoo_and_the_same_database(change: dict[str, object]) -> None:
    """Whatever became of the deployment that told the database: Odoo remembers the address with which it started."""
    before, now = specification(), specification(**change)
    found = [render.odoo_container(one, configuration="x", release="1").digest for one in (before, now)]
    assert found[0] != found[1]
    assert render.database_container(before, {}).digest == render.database_container(now, {}).digest


def test_cpu_is_never_more_than_the_server_has() -> None:
    found = specification(server_cpu=Decimal(2))
    assert render.odoo_container(found, configuration="x", release="1").cpu == Decimal(2)


def test_nothing_of_a_secret_is_in_a_repr() -> None:
    found = specification()
    assert not any(secret in repr(found) for secret in found.secrets)
