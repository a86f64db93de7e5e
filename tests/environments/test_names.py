"""Host names: one per environment on the whole platform, also when twenty are made at once."""

from __future__ import annotations

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from apps.environments.models import Environment
from apps.environments.naming import LONGEST_LABEL
from apps.environments.services import create_environment
from apps.projects.models import Project
from tests.factories import make_environment, make_project, make_server

BASE = "apps.localhost"


def test_the_first_has_no_number(cast):
    project = make_project(cast.acme)
    names = [make_environment(project, "staging").host_name for _ in range(3)]
    assert names == [f"shop-staging.{BASE}", f"shop-staging-2.{BASE}", f"shop-staging-3.{BASE}"]


def test_names_and_short_names_follow(cast):
    project = make_project(cast.acme)
    first, second = make_environment(project), make_environment(project)
    assert (first.name, first.slug) == ("shop-development-1", "development")
    assert (second.name, second.slug) == ("shop-development-2", "development-2")
    assert first.database_name == str(first.pk)


def test_a_name_of_ones_own_makes_the_short_name(cast):
    environment = make_environment(make_project(cast.acme), name="QA Belgium")
    assert environment.slug == "qa-belgium"
    assert environment.host_name == f"shop-development.{BASE}"


@pytest.mark.parametrize("name", ["new", "settings", "Destroyed"])
def test_a_short_name_never_hides_a_page(cast, name):
    assert make_environment(make_project(cast.acme), name=name).slug == f"{name.lower()}-2"


def test_the_second_organization_has_its_own_name_in_front(cast):
    mine, theirs = make_project(cast.acme), make_project(cast.umbrella)
    assert make_environment(mine, "production").host_name == f"shop-production.{BASE}"
    assert make_environment(theirs, "production").host_name == f"umbrella-shop-production.{BASE}"
    assert make_environment(mine, "production").host_name == f"shop-production-2.{BASE}"


def test_a_destroyed_environment_gives_its_name_back(cast):
    project = make_project(cast.acme)
    first = make_environment(project)
    Environment.objects.filter(pk=first.pk).update(status="deleted")
    assert make_environment(project).host_name == first.host_name


def test_long_names_stay_labels_and_stay_apart(cast):
    organization = cast.umbrella
    slug = "a-very-long-project-name-indeed-yes-40ch"
    make_project(cast.acme, name="Other", slug=slug)
    project = make_project(organization, name="Long", slug=slug)
    Project.objects.filter(pk=project.pk).update(created_at="2100-01-01T00:00Z")
    organization.slug = "an-organization-with-a-long-name-too"
    organization.save()
    project = Project.objects.select_related("organization").get(pk=project.pk)
    names = {make_environment(project, kind).host_name for kind in ("development", "staging", "production")}
    assert len(names) == 3
    for name in names:
        label = name.removesuffix(f".{BASE}")
        assert len(label) <= LONGEST_LABEL
        assert label == label.strip("-")


@pytest.mark.parametrize("name", ["a\nb", "a\0b", " x", "‮evil", "x" * 81])
def test_bad_names_are_refused(cast, name):
    with pytest.raises(ValidationError):
        make_environment(make_project(cast.acme), name=name)


@pytest.mark.parametrize(
    "branch", ["--upload-pack=x", "a;b", "$(id)", "a\nb", "a\0b", "a/../b", "-b", "a b", "x" * 201]
)
def test_bad_branches_are_refused(cast, branch):
    with pytest.raises(ValidationError):
        make_environment(make_project(cast.acme), branch=branch)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("on_a_server", [False, True])
def test_twenty_at_once_get_twenty_names(cast, on_a_server, settings):
    settings.ENVIRONMENTS_PER_SERVER = 20
    project = make_project(cast.acme)
    server = make_server(cast.acme, cpu_count=32, memory_megabytes=64 * 1024) if on_a_server else None
    start, errors = threading.Barrier(20), []

    def create() -> None:
        try:
            start.wait(30)
            create_environment(
                project=project,
                environment_type="production",
                actor=cast.alice,
                server=server,
                cpu=1,
                memory_megabytes=1024,
                disk_megabytes=2048,
            )
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    numbers = ["", *(f"-{number}" for number in range(2, 21))]
    expected = {f"shop-production{number}.{BASE}" for number in numbers}
    assert set(Environment.objects.values_list("host_name", flat=True)) == expected
    if on_a_server:
        assert Environment.objects.values("subnet").distinct().count() == 20
