"""The pages of deployments: who sees them, what they show, what their buttons do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from apps.deployments.models import Deployment
from apps.environments.models import Environment
from tests.cast import Cast
from tests.deployments.rows import make_deployment, make_environment

SignIn = Callable[[object], Client]


@pytest.fixture
def environment(cast: Cast) -> Environment:
    return make_environment(cast.acme)


@pytest.fixture
def base(environment: Environment) -> str:
    return f"/o/acme/p/{environment.project.slug}/{environment.slug}/"


def test_the_list_shows_what_was(cast: Cast, environment: Environment, base: str, sign_in: SignIn) -> None:
    make_deployment(environment, cast.bob, commit="0123456789abcdef", commit_subject="Sell more")
    make_deployment(environment, cast.alice, status="failed", failed_step="health_check")
    page = sign_in(cast.vera).get(f"{base}deployments/").content.decode()
    assert "0123456789ab" in page
    assert "Sell more" in page
    assert "Health check" in page
    assert "Alice" in page


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("status=failed", [2]),
        ("status=success", [1]),
        ("q=0123", [1]),
        ("q=alice", [2]),
        ("q=2", [2]),
        ("trigger=api", []),
        ("q=%00", [2, 1]),
        (f"q={'9' * 5000}", []),
        ("trigger=%00", []),
        ("status=nonsense", [2, 1]),
    ],
)
def test_filters(
    cast: Cast, environment: Environment, base: str, sign_in: SignIn, query: str, numbers: list[int]
) -> None:
    make_deployment(environment, cast.bob, commit="0123456789abcdef", commit_subject="Sell more")
    make_deployment(environment, cast.alice, status="failed", failed_step="health_check")
    answer = sign_in(cast.bob).get(f"{base}deployments/?{query}")
    assert [row.number for row in answer.context["page"]] == numbers


def test_the_list_asks_a_constant_number_of_questions(
    cast: Cast, environment: Environment, base: str, sign_in: SignIn, django_assert_max_num_queries
) -> None:
    for _ in range(6):
        make_deployment(environment, cast.bob)
    client = sign_in(cast.bob)
    with django_assert_max_num_queries(24):
        client.get(f"{base}deployments/")


def test_the_panel_for_the_overview(cast: Cast, environment: Environment, base: str, sign_in: SignIn) -> None:
    for _ in range(7):
        make_deployment(environment, cast.bob)
    page = sign_in(cast.vera).get(f"{base}deployments/?panel=1").content.decode()
    assert page.count("<li") == 5
    assert "<html" not in page


def test_one_deployment_with_its_sixteen_rows(cast: Cast, environment: Environment, base: str, sign_in: SignIn) -> None:
    deployment = make_deployment(environment, cast.bob, status="failed", failed_step="install_addons")
    page = sign_in(cast.bob).get(deployment.get_absolute_url()).content.decode()
    assert page.count('class="step"') == 16
    assert "It broke." in page
    assert "Mend it." in page
    assert f"{base}deployments/1/retry/" in page


def test_the_usual_time_is_shown(cast: Cast, environment: Environment, base: str, sign_in: SignIn) -> None:
    for seconds in (10, 20, 60):
        make_deployment(environment, cast.bob, seconds=seconds)
    deployment = make_deployment(environment, cast.bob, seconds=30)
    answer = sign_in(cast.bob).get(deployment.get_absolute_url())
    assert answer.context["usual"] == pytest.approx(20, abs=1)


def test_retry_makes_a_new_one(cast: Cast, environment: Environment, base: str, sign_in: SignIn) -> None:
    make_deployment(environment, cast.bob, status="failed", failed_step="validate")
    client = sign_in(cast.bob)
    answer = client.post(f"{base}deployments/1/retry/")
    assert answer.status_code == 302
    assert answer.url == f"{base}deployments/2/"
    assert client.post(f"{base}deployments/1/retry/").status_code == 409
    assert Deployment.objects.count() == 2


def test_a_success_is_not_tried_again(cast: Cast, environment: Environment, base: str, sign_in: SignIn) -> None:
    make_deployment(environment, cast.bob)
    assert sign_in(cast.bob).post(f"{base}deployments/1/retry/").status_code == 409


@pytest.mark.parametrize("path", ["deployments/", "deployments/1/", "access/"])
def test_strangers_see_nothing(cast: Cast, environment: Environment, base: str, sign_in: SignIn, path: str) -> None:
    make_deployment(environment, cast.bob)
    assert sign_in(cast.charlie).get(base + path).status_code == 404
    assert Client().get(base + path).status_code == 302


@pytest.mark.parametrize("path", ["deployments/1/retry/", "access/open/", "access/password/"])
def test_who_only_looks_on_may_do_nothing(
    cast: Cast, environment: Environment, base: str, sign_in: SignIn, path: str
) -> None:
    make_deployment(environment, cast.bob, status="failed", failed_step="validate")
    client = sign_in(cast.vera)
    assert client.post(base + path).status_code == 403
    assert client.get(base + path).status_code == 405
    assert sign_in(cast.charlie).post(base + path).status_code == 404
    assert Deployment.objects.count() == 1


def test_a_developer_does_not_become_the_administrator(
    cast: Cast, environment: Environment, base: str, sign_in: SignIn
) -> None:
    make_deployment(environment, cast.bob)
    assert sign_in(cast.bob).post(f"{base}access/open/").status_code == 403


def test_the_first_password_is_shown_once(cast: Cast, environment: Environment, base: str, sign_in: SignIn) -> None:
    make_deployment(environment, cast.alice)
    Environment.objects.filter(pk=environment.pk).update(admin_password_hash="$pbkdf2-sha512$x")
    client = sign_in(cast.alice)
    assert "Show the password" in client.get(f"{base}deployments/1/").content.decode()
    page = client.post(f"{base}access/password/").content.decode()
    assert environment.admin_password in page
    assert client.post(f"{base}access/password/").status_code == 410
    assert "Show the password" not in client.get(f"{base}deployments/1/").content.decode()


def test_a_password_that_nobody_set_is_not_shown(
    cast: Cast, environment: Environment, base: str, sign_in: SignIn
) -> None:
    assert sign_in(cast.alice).post(f"{base}access/password/").status_code == 409


def test_nothing_opens_that_does_not_run(cast: Cast, environment: Environment, base: str, sign_in: SignIn) -> None:
    assert sign_in(cast.alice).post(f"{base}access/open/").status_code == 409


def test_the_overview_warns_of_the_first_password(
    cast: Cast, environment: Environment, base: str, sign_in: SignIn
) -> None:
    make_deployment(environment, cast.alice)
    Environment.objects.filter(pk=environment.pk).update(admin_password_hash="$pbkdf2-sha512$x")
    client = sign_in(cast.alice)
    assert "still in use" in client.get(f"{base}access/").content.decode()
    Environment.objects.filter(pk=environment.pk).update(admin_password_changed=True)
    assert "still in use" not in client.get(f"{base}access/").content.decode()


def test_a_number_that_does_not_exist(cast: Cast, environment: Environment, base: str, sign_in: SignIn) -> None:
    assert sign_in(cast.alice).get(f"{base}deployments/7/").status_code == 404
