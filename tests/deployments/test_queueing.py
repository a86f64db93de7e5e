"""Asking for a deployment: one at a time, only where the state allows it, with everything noted."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from apps.audit.models import Event
from apps.core.exceptions import Conflict
from apps.deployments import services
from apps.deployments.models import Deployment, DeploymentStatus
from apps.deployments.pipelines.deploy import STEPS
from apps.environments.actions import request_deployment
from apps.environments.models import Environment, Status
from apps.operations.models import Operation
from tests.cast import Cast
from tests.deployments.rows import make_deployment, make_environment

SIXTEEN = [
    "queue",
    "validate",
    "clone_repository",
    "clone_modules",
    "create_database",
    "deploy_pgbouncer",
    "generate_config",
    "pull_image",
    "create_container",
    "install_base",
    "update_module_list",
    "install_addons",
    "configure_routing",
    "request_certificate",
    "health_check",
    "complete",
]


@pytest.fixture
def environment(cast: Cast) -> Environment:
    return make_environment(cast.acme)


def test_all_sixteen_rows_are_there_from_the_start(cast: Cast, environment: Environment) -> None:
    deployment = services.deploy(environment=environment, user=cast.bob)
    steps = list(deployment.operation.steps.all())
    assert [step.name for step in steps] == SIXTEEN == [step.name for step in STEPS]
    assert {step.status for step in steps} == {"pending"}
    assert all(step.title for step in steps)
    environment.refresh_from_db()
    assert environment.status == Status.DEPLOYING
    assert (deployment.number, deployment.status, deployment.triggered_by) == (1, "queued", cast.bob)
    assert Event.objects.filter(action="deployment.requested").exists()


def test_a_second_one_is_refused_while_the_first_is_under_way(cast: Cast, environment: Environment) -> None:
    services.deploy(environment=environment, user=cast.bob)
    with pytest.raises(Conflict) as caught:
        services.deploy(environment=environment, user=cast.alice)
    assert caught.value.http_status == 409
    assert Deployment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_once_one_deploys(cast: Cast, environment: Environment) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def press(user: object) -> None:
        start.wait()
        try:
            services.deploy(environment=Environment.objects.get(pk=environment.pk), user=user)
            outcomes.append("queued")
        except Conflict as conflict:
            outcomes.append(conflict.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(user,)) for user in (cast.alice, cast.bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[-1] == "queued"
    assert outcomes.count("queued") == 1
    assert Operation.objects.count() == 1


@pytest.mark.parametrize("status", [Status.DEPLOYING, Status.PAUSED, Status.CLONING, Status.DESTROYING, Status.DELETED])
def test_states_that_do_not_allow_it(cast: Cast, environment: Environment, status: str) -> None:
    Environment.objects.filter(pk=environment.pk).update(status=status)
    with pytest.raises(Conflict) as caught:
        services.deploy(environment=environment, user=cast.bob)
    assert caught.value.code == "environments.action_not_allowed"


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING, Status.STOPPED, Status.ERROR])
def test_states_that_allow_it(cast: Cast, environment: Environment, status: str) -> None:
    Environment.objects.filter(pk=environment.pk).update(status=status)
    deployment = services.deploy(environment=environment, user=cast.bob)
    assert deployment.operation.parameters["previous_status"] == status


def test_the_environment_asks_through_its_signal(cast: Cast, environment: Environment) -> None:
    deployment = request_deployment(environment=environment, actor=cast.bob, trigger="api")
    assert isinstance(deployment, Deployment)
    assert (deployment.trigger, deployment.operation.trigger) == ("api", "api")


def test_only_a_failed_one_is_tried_again(cast: Cast, environment: Environment) -> None:
    done = make_deployment(environment, cast.bob)
    with pytest.raises(Conflict) as caught:
        services.retry(deployment=done, user=cast.bob)
    assert caught.value.code == "deployments.not_retryable"


def test_a_retry_is_a_new_deployment_of_the_same_release(cast: Cast, environment: Environment) -> None:
    from apps.deployments.releases import begin

    failed = make_deployment(environment, cast.bob, status="failed", failed_step="health_check")
    release = begin(failed)
    again = services.retry(deployment=failed, user=cast.alice)
    assert (again.number, again.trigger, again.release) == (2, "retry", release)
    assert again.operation.parameters["release_id"] == str(release.pk)
    assert again.operation.retry_of == failed.operation


def test_cancelled_before_it_began_it_is_over_at_once(cast: Cast, environment: Environment) -> None:
    deployment = services.deploy(environment=environment, user=cast.bob)
    services.cancel(deployment=deployment, user=cast.bob)
    environment.refresh_from_db()
    assert environment.status == Status.PENDING
    assert Deployment.objects.get(pk=deployment.pk).status == DeploymentStatus.CANCELLED


def test_shown_statuses_follow_the_step(cast: Cast, environment: Environment) -> None:
    deployment = make_deployment(environment, cast.bob, status="running")
    assert deployment.status == DeploymentStatus.BUILDING
    deployment.operation.steps.filter(position=9).update(started_at=deployment.created_at)
    assert Deployment.objects.get(pk=deployment.pk).status == DeploymentStatus.DEPLOYING


def test_a_deployment_of_a_destroyed_environment_is_destroyed(cast: Cast, environment: Environment) -> None:
    deployment = make_deployment(environment, cast.bob)
    Environment.objects.filter(pk=environment.pk).update(status=Status.DELETED)
    assert Deployment.objects.get(pk=deployment.pk).status == DeploymentStatus.DESTROYED
