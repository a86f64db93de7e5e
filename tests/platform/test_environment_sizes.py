"""What a new environment gets where nobody chose anything is set by staff, within what an environment can have."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from apps.audit.models import Event
from apps.core.request_context import RequestContext, within
from apps.environments.models import Environment
from apps.environments.services import build_environment, create_environment, update_environment
from apps.platform.models import EnvironmentSize
from tests.api.conftest import make_program
from tests.factories import make_project

NUMBERS = ("cpu", "memory_megabytes", "disk_megabytes", "workers")


@pytest.fixture
def project(cast):
    return make_project(cast.acme)


def row(environment_type: str = "development", **values: object) -> EnvironmentSize:
    size, _ = EnvironmentSize.objects.update_or_create(environment_type=environment_type, defaults=values)
    return size


def numbers(environment: Environment) -> list[object]:
    return [getattr(environment, name) for name in NUMBERS]


def test_without_a_word_of_staff_the_usual_counts(project):
    EnvironmentSize.objects.all().delete()
    found = [numbers(build_environment(project=project, environment_type=name)) for name in ("staging", "production")]
    assert found == [[2, 4096, 20 * 1024, 4], [4, 8192, 40 * 1024, 8]]


def test_what_staff_set_counts_and_what_is_empty_is_usual(cast, project):
    row(memory_megabytes=4096, workers=3)
    environment = create_environment(project=project, environment_type="development", actor=cast.alice)
    assert numbers(environment) == [1, 4096, 10 * 1024, 3]
    # It stays so, whatever else is changed.
    changed = update_environment(environment=environment, actor=cast.alice, name="Renamed")
    assert changed.workers == 3


def test_workers_are_for_that_allocation_alone(project):
    row("production", workers=12)
    build = {"project": project, "environment_type": "production"}
    assert build_environment(**build).workers == 12
    assert build_environment(**build, cpu=Decimal(1)).workers == 2
    assert build_environment(**build, cpu=Decimal(4), memory_megabytes=8192).workers == 12
    assert build_environment(**build, workers=2).workers == 2
    assert build_environment(**build, max_connections=200).workers == 8


def test_the_api_and_the_page_take_them(cast, sign_in, project):
    row("staging", cpu=Decimal("1.5"), memory_megabytes=3072, disk_megabytes=5120)
    answer = make_program(cast.acme, cast.alice).post(
        "/environments", {"project_id": str(project.pk), "env_type": "staging"}
    )
    assert answer.status_code == 201
    assert (answer.json()["cpu"], answer.json()["memory_megabytes"]) == (1.5, 3072)
    values = {"environment_type": "staging", "name": "By page"}
    assert (
        sign_in(cast.alice).post(reverse("environments:create", args=["acme", project.slug]), values).status_code == 302
    )
    assert numbers(Environment.objects.get(name="By page"))[:3] == [Decimal("1.5"), 3072, 5120]


def test_it_is_asked_once_for_each_request(project, django_assert_num_queries):
    with within(RequestContext()), django_assert_num_queries(1):
        for name in ("staging", "production"):
            build_environment(project=project, environment_type=name, branch="main", name="x")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"cpu": Decimal("0.1")}, "cpu"),
        ({"cpu": Decimal(129)}, "cpu"),
        ({"memory_megabytes": 511}, "memory_megabytes"),
        ({"memory_megabytes": 2 * 1024 * 1024}, "memory_megabytes"),
        ({"disk_megabytes": 1023}, "disk_megabytes"),
        ({"workers": 65, "memory_megabytes": 65536}, "workers"),
        ({"workers": 20}, "workers"),
        ({"memory_megabytes": 512, "workers": 4}, "workers"),
    ],
)
def test_no_size_that_no_environment_can_have(db, values, field):
    with pytest.raises(ValidationError) as caught:
        EnvironmentSize(environment_type="development", **values).full_clean(validate_unique=False)
    assert field in caught.value.message_dict


def test_staff_change_them_in_the_admin(cast, sign_in):
    size = row()
    address = f"/admin/platform/environmentsize/{size.pk}/change/"
    sam = sign_in(cast.sam)
    empty = dict.fromkeys(NUMBERS, "")
    assert sam.get("/admin/platform/environmentsize/").status_code == 200
    assert sam.post(address, empty | {"workers": "40"}).status_code == 200
    assert sam.post(address, empty | {"cpu": "2", "memory_megabytes": "4096"}).status_code == 302
    size.refresh_from_db()
    assert numbers(size) == [2, 4096, None, None]
    event = Event.objects.get(action="environmentsize.changed")
    assert set(event.after) == {"cpu", "memory_megabytes"}
    assert sam.get("/admin/platform/environmentsize/add/").status_code == 403
    assert sam.post(f"/admin/platform/environmentsize/{size.pk}/delete/", {"post": "yes"}).status_code == 403
    cast.sam.is_superuser = False
    cast.sam.save()
    limited = sign_in(cast.sam)
    assert limited.get(address).status_code == 200
    assert limited.post(address, empty).status_code == 403
