"""A variable that cannot be decrypted any more: the list goes on and says so, deploying fails closed, and it can be set
again or removed."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.core.keyring import DecryptionError
from apps.environments.models import EnvironmentVariable
from apps.environments.render_specification import specification_of
from apps.environments.variables import delete_variable, set_variable
from tests.api.conftest import make_program
from tests.factories import make_environment, make_project
from tests.lost_keys import lose


@pytest.fixture
def environment(cast):
    return make_environment(make_project(cast.acme), status="running")


@pytest.fixture
def lost(cast, environment) -> EnvironmentVariable:
    variable = set_variable(environment=environment, key="LOST", value="value", actor=cast.alice)
    set_variable(environment=environment, key="SOUND", value="still here", actor=cast.alice)
    lose(variable, "value")
    return EnvironmentVariable.objects.get(pk=variable.pk)


def page_of(environment) -> str:
    project = environment.project
    return reverse("environments:variables", args=[project.organization.slug, project.slug, environment.slug])


def test_the_page_and_the_api_go_on(cast, sign_in, environment, lost):
    page = sign_in(cast.alice).get(page_of(environment))
    assert page.status_code == 200
    assert "cannot be decrypted any more: set it again" in page.content.decode()
    assert "still here" in page.content.decode()
    rows = make_program(cast.acme, cast.alice).get(f"/environments/{environment.pk}/variables").json()["results"]
    assert [(row["key"], row["value"], row["readable"]) for row in rows] == [
        ("LOST", None, False),
        ("SOUND", "still here", True),
    ]


def test_nothing_is_deployed_with_an_empty_value(environment, lost):
    with pytest.raises(DecryptionError):
        specification_of(environment)


def test_it_is_set_again(cast, environment, lost):
    set_variable(environment=environment, key="LOST", value="new value", actor=cast.alice)
    assert EnvironmentVariable.objects.get(pk=lost.pk).value == "new value"


def test_it_is_removed(cast, environment, lost):
    delete_variable(variable=lost, actor=cast.alice)
    assert specification_of(environment).variables == {"SOUND": "still here"}
