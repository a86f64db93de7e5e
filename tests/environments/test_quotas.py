"""Quotas: never exceeded, however many ask at once; what exceeds is named with numbers."""

from __future__ import annotations

import threading
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connections
from django.db.models import Sum

from apps.core.exceptions import Conflict
from apps.environments import services
from apps.environments.actions import mark_deleted
from apps.environments.models import Environment
from apps.environments.quotas import allocated
from apps.environments.restoring import request_restore
from apps.orgs import leaving, quotas
from apps.orgs.models import Organization, Quota
from apps.orgs.quota_requests import set_quota
from apps.orgs.quotas import Allocation
from apps.orgs.signals import quota_exceeded, quota_warning
from apps.servers import services as servers
from apps.servers.models import Server
from tests.cast import make_cast
from tests.factories import make_environment, make_project, make_server

SIZE = {"cpu": Decimal(1), "memory_megabytes": 2048, "disk_megabytes": 10_240}


def limit(organization, **limits) -> Quota:
    return set_quota(organization=organization, actor=None, **limits)


@pytest.fixture
def told():
    """What the two signals said."""
    heard: list[tuple[str, str]] = []

    def warned(resource, used, total, **_):
        heard.append(("warning", f"{resource}: {used} of {total}"))

    def exceeded(problem, **_):
        heard.append(("exceeded", problem.context["resource"]))

    quota_warning.connect(warned)
    quota_exceeded.connect(exceeded)
    yield heard
    quota_warning.disconnect(warned)
    quota_exceeded.disconnect(exceeded)


def test_without_limits_nothing_is_refused(cast):
    project = make_project(cast.acme)
    for _ in range(3):
        make_environment(project, **SIZE)
    assert allocated(cast.acme) == Allocation(Decimal(3), 6144, 30_720, environments=3)


@pytest.mark.parametrize(
    ("limits", "resource", "wanted", "free", "total"),
    [
        ({"cpu": Decimal("1.5")}, "CPU", "1 core", "0.5 cores", "1.5 cores"),
        ({"memory_megabytes": 4000}, "memory", "2048 MB", "1952 MB", "4000 MB"),
        ({"disk_megabytes": 10_240}, "disk", "10240 MB", "0 MB", "10240 MB"),
        ({"environments": 1}, "environments", "1", "0", "1"),
    ],
)
def test_the_resource_that_is_exceeded_is_named_with_numbers(cast, limits, resource, wanted, free, total, told):
    project = make_project(cast.acme)
    make_environment(project, **SIZE)
    limit(cast.acme, **limits)
    with pytest.raises(Conflict) as caught:
        make_environment(project, **SIZE)
    assert caught.value.code == "orgs.quota_exceeded"
    assert caught.value.context["resource"] == resource
    assert caught.value.title == f"The quota of Acme has not enough {resource}: {wanted} wanted, {free} free."
    assert f"Of {total}," in caught.value.what_to_do
    assert told[-1] == ("exceeded", resource)
    assert Environment.objects.count() == 1


@pytest.mark.parametrize("field", ["cpu", "memory_megabytes", "disk_megabytes"])
def test_one_environment_has_a_limit_of_its_own(cast, field):
    project = make_project(cast.acme)
    limit(cast.acme, **{f"environment_{field}": SIZE[field] - 1})
    with pytest.raises(Conflict) as caught:
        make_environment(project, **SIZE)
    assert caught.value.code == "orgs.environment_quota_exceeded"


def test_what_is_stopped_counts_and_what_is_destroyed_does_not(cast):
    project = make_project(cast.acme)
    limit(cast.acme, environments=1)
    environment = make_environment(project, status="stopped")
    with pytest.raises(Conflict):
        make_environment(project)
    mark_deleted(environment)
    make_environment(project)


def test_what_is_brought_back_counts_again(cast):
    project, server = make_project(cast.acme), make_server(cast.acme)
    environment = make_environment(project, server=server, **SIZE)
    mark_deleted(environment)
    limit(cast.acme, cpu=Decimal(1))
    other = make_environment(project, "staging", server=server, **SIZE)  # of another type: its address is another
    with pytest.raises(Conflict) as caught:
        request_restore(environment=environment, actor=cast.alice)
    assert caught.value.code == "orgs.quota_exceeded"
    mark_deleted(other)
    request_restore(environment=environment, actor=cast.alice)
    assert allocated(cast.acme).cpu == 1


def test_organizations_that_were_there_before_get_a_quota(cast):
    Quota.objects.all().delete()
    migration = import_module("apps.orgs.migrations.0003_white_label_invitations_quotas")
    migration.add_quotas(apps, None)
    migration.add_quotas(apps, None)
    assert {quota.organization_id for quota in Quota.objects.all()} == {cast.acme.pk, cast.umbrella.pk}


def test_another_organization_counts_for_itself(cast):
    limit(cast.acme, environments=0)
    make_environment(make_project(cast.umbrella))
    with pytest.raises(Conflict):
        make_environment(make_project(cast.acme))


def test_growing_is_held_against_the_quota_and_shrinking_is_always_allowed(cast):
    environment = make_environment(make_project(cast.acme), **SIZE)
    limit(cast.acme, cpu=Decimal("1.5"), memory_megabytes=1024)
    with pytest.raises(Conflict) as caught:
        services.resize(environment=environment, actor=cast.alice, **(SIZE | {"cpu": Decimal(2)}))
    assert caught.value.context["resource"] == "CPU"
    smaller = {"cpu": Decimal("1.5"), "memory_megabytes": 1536, "disk_megabytes": 10_240}
    services.resize(environment=environment, actor=cast.alice, **smaller)
    environment.refresh_from_db()
    assert (environment.cpu, environment.memory_megabytes) == (Decimal("1.5"), 1536)


def test_at_eighty_percent_there_is_one_warning(cast, told):
    project = make_project(cast.acme)
    limit(cast.acme, environments=5)
    for _ in range(5):
        make_environment(project)
    assert told == [("warning", "environments: 4 of 5")]


def test_servers_are_counted(cast, told):
    make_server(cast.acme)
    limit(cast.acme, servers=1)
    with pytest.raises(Conflict) as caught:
        servers.add_server(organization=cast.acme, name="Second", address="198.51.100.1", actor=cast.alice)
    assert caught.value.context["resource"] == "servers"
    assert told == [("exceeded", "servers")]
    assert Server.objects.count() == 1


def test_nothing_new_is_made_in_an_organization_that_leaves(cast):
    project = make_project(cast.acme)
    leaving.request_deletion(organization=cast.acme, confirmation="Acme", actor=cast.alice)
    for make in (
        lambda: make_environment(project),
        lambda: servers.add_server(organization=cast.acme, name="x", address="198.51.100.1", actor=cast.alice),
    ):
        with pytest.raises(Conflict) as caught:
            make()
        assert caught.value.code == "orgs.leaving"


def test_a_replica_counts_a_part_of_its_primary():
    primary = Allocation(Decimal(4), 8191, 51_200, environments=1)
    assert quotas.replica_share(primary) == Allocation(Decimal("1.2"), 2458, 51_200)


def test_the_page_names_what_is_exceeded(cast, sign_in):
    project = make_project(cast.acme)
    limit(cast.acme, environments=0)
    form = {"environment_type": "development", "branch": "main"}
    page = sign_in(cast.alice).post(f"/o/acme/p/{project.slug}/new/", form)
    assert page.status_code in (409, 422)
    assert "quota of Acme has not enough environments" in page.content.decode()


def race(count: int, act) -> list[Exception]:
    """Calls `act(number)` in as many threads at once; returns what went wrong besides refusals by the quota."""
    start, failures = threading.Barrier(count), []

    def one(number: int) -> None:
        try:
            start.wait()
            act(number)
        except Conflict as conflict:
            if conflict.code != "orgs.quota_exceeded":
                failures.append(conflict)
        except Exception as failure:
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


@pytest.mark.django_db(transaction=True)
def test_twenty_creations_at_once_never_exceed():
    cast = make_cast()
    projects = [make_project(cast.acme, name=f"Shop {number}") for number in range(4)]
    limit(cast.acme, cpu=Decimal("5.5"), environments=15)

    def create(number: int) -> None:
        services.create_environment(
            project=projects[number % 4], environment_type="development", actor=cast.alice, **SIZE
        )

    assert race(20, create) == []
    assert Environment.objects.count() == 5
    assert Environment.objects.aggregate(sum=Sum("cpu"))["sum"] == 5


@pytest.mark.django_db(transaction=True)
def test_creations_and_resizes_at_once_never_exceed():
    cast = make_cast()
    project = make_project(cast.acme)
    server = make_server(cast.acme)
    there = [make_environment(project, server=server, **SIZE) for _ in range(4)]
    limit(cast.acme, memory_megabytes=5 * 2048)

    def act(number: int) -> None:
        if number < 4:
            bigger = SIZE | {"memory_megabytes": 4096}
            services.resize(environment=Environment.objects.get(pk=there[number].pk), actor=cast.alice, **bigger)
        else:
            services.create_environment(
                project=project, environment_type="development", actor=cast.alice, server=server, **SIZE
            )

    assert race(12, act) == []
    assert allocated(Organization.objects.get(pk=cast.acme.pk)).memory_megabytes == 5 * 2048


@pytest.mark.django_db(transaction=True)
def test_servers_added_at_once_never_exceed():
    cast = make_cast()
    limit(cast.acme, servers=2)

    def add(number: int) -> None:
        servers.add_server(organization=cast.acme, name=f"S{number}", address=f"198.51.100.{number + 1}", actor=None)

    assert race(8, add) == []
    assert Server.objects.count() == 2
