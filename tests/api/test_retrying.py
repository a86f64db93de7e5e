"""Doing a task again asks the right that starting it asks, which is not always the right to stop it."""

from __future__ import annotations

import pytest

from apps.operations.models import Operation
from apps.operations.pipeline import all_pipelines, get_pipeline
from apps.orgs import overrides
from apps.orgs.models import PermissionOverride
from apps.orgs.roles import ALL_CODES
from tests.api.conftest import make_program
from tests.deployments.rows import make_deployment, make_environment


def take(cast, code: str) -> None:
    """Bob has it no more."""
    overrides.set_override(
        organization=cast.acme, user=cast.bob, code=code, effect=PermissionOverride.Effect.DENY, actor=cast.alice
    )


@pytest.fixture
def failed(cast) -> Operation:
    """A failed deployment's operation. Bob is a developer of its project."""
    environment = make_environment(cast.acme)
    return make_deployment(environment, cast.alice, status="failed", failed_step="validate").operation


def test_who_may_cancel_and_not_deploy_does_not_deploy_by_retrying(cast, failed, sign_in):
    take(cast, "project.environments.deploy")
    refused = make_program(cast.acme, cast.bob).post(f"/tasks/{failed.pk}/retry")
    assert (refused.status_code, refused.json()["error"]) == (403, "permission_denied")
    assert "project.environments.deploy" in refused.json()["message"]
    page = f"{failed.deployment.get_absolute_url()}retry/"
    assert sign_in(cast.bob).post(page).status_code == 403
    assert Operation.objects.count() == 1


def test_who_may_deploy_and_not_cancel_retries(cast, failed):
    take(cast, "project.deployments.cancel")
    answer = make_program(cast.acme, cast.bob).post(f"/tasks/{failed.pk}/retry")
    assert answer.status_code == 202, answer.content
    refused = make_program(cast.acme, cast.bob).post(f"/tasks/{answer.json()['task_id']}/cancel")
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("environment.deploy", "project.environments.deploy"),
        ("environment.destroy", "project.environments.delete"),
        ("environment.stop", "project.environments.control"),
        ("domains.update_route", "project.environments.domains.manage"),
        ("servers.bootstrap", "org.servers.update"),
    ],
)
def test_what_doing_it_again_asks(kind, code):
    assert get_pipeline(kind).retry_code == code


def test_every_code_of_a_pipeline_exists():
    for kind, pipeline in all_pipelines().items():
        assert {pipeline.view_code, pipeline.cancel_code, pipeline.retry_code} <= ALL_CODES, kind
