"""A refused request has changed nothing, and what has to be told of it is told all the same."""

from __future__ import annotations

import pytest

from apps.environments.models import Environment
from apps.notifications.models import Event
from apps.orgs.models import Quota
from tests.api.conftest import make_program
from tests.deployments.rows import make_environment
from tests.factories import make_project

KEY = {"Idempotency-Key": "one"}


@pytest.fixture
def environment(cast) -> Environment:
    return make_environment(cast.acme)


@pytest.mark.parametrize("headers", [{}, KEY])
def test_a_change_is_made_as_a_whole_or_not_at_all(cast, alice, environment, headers):
    Quota.objects.update_or_create(organization=cast.acme, defaults={"cpu": 4})
    wanted = {"name": "Renamed", "git_branch": "other", "cpu": 64}
    refused = alice.patch(f"/environments/{environment.pk}", wanted, **headers)
    assert (refused.status_code, refused.json()["error"]) == (409, "orgs.quota_exceeded")
    fresh = Environment.objects.get(pk=environment.pk)
    assert (fresh.name, fresh.branch, fresh.cpu) == (environment.name, environment.branch, environment.cpu)
    assert Event.objects.filter(kind="quota.exceeded").count() == 1


def test_a_good_change_makes_both(alice, environment):
    answer = alice.patch(f"/environments/{environment.pk}", {"name": "Renamed", "cpu": 1.5})
    assert answer.status_code == 200, answer.content
    fresh = Environment.objects.get(pk=environment.pk)
    assert (fresh.name, float(fresh.cpu)) == ("Renamed", 1.5)


@pytest.mark.parametrize("headers", [{}, KEY])
def test_a_full_quota_is_told_with_an_idempotency_key_too(cast, alice, headers):
    Quota.objects.update_or_create(organization=cast.acme, defaults={"environments": 0})
    wanted = {"project_id": str(make_project(cast.acme).pk), "env_type": "development"}
    assert alice.post("/environments", wanted, **headers).json()["error"] == "orgs.quota_exceeded"
    assert Environment.objects.count() == 0
    assert Event.objects.filter(kind="quota.exceeded").count() == 1


@pytest.mark.parametrize("method", ["PERMISSION_DENIED", "REQUIRE", "FIND", "HTTP_METHOD_NAMES", "DISPATCH", "BREW"])
def test_a_method_by_the_name_of_something_else_is_no_method(cast, method):
    program = make_program(cast.acme, cast.alice)
    answer = program(method, "/projects", {}, **KEY)
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/json")
