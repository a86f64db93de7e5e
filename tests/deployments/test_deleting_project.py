"""A project of which nothing runs any more goes with the rows of its purged environments."""

from __future__ import annotations

import pytest

from apps.core import clock
from apps.core.exceptions import Conflict
from apps.deployments import releases
from apps.deployments.models import Deployment, Release
from apps.environments.models import Environment, Status
from apps.operations.models import Operation
from apps.projects.models import Project
from apps.projects.services import delete_project
from tests.cast import Cast
from tests.deployments.rows import make_deployment, make_environment

pytestmark = pytest.mark.django_db


def test_deployments_and_releases_of_purged_environments_go_along(cast: Cast) -> None:
    environment = make_environment(cast.acme)
    for _ in range(2):
        releases.begin(make_deployment(environment, cast.alice))
    Environment.objects.filter(pk=environment.pk).update(status=Status.DELETED, purged_at=clock.now())
    project = environment.project
    delete_project(project=project, confirmation=project.slug, actor=cast.alice)
    assert not Project.objects.filter(pk=project.pk).exists()
    assert not Environment.objects.filter(pk=environment.pk).exists()
    assert (Deployment.objects.count(), Release.objects.count()) == (0, 0)
    # What happened stays known.
    assert Operation.objects.count() == 2


def test_a_destroyed_one_in_its_grace_period_keeps_its_project(cast: Cast) -> None:
    environment = make_environment(cast.acme)
    releases.begin(make_deployment(environment, cast.alice))
    Environment.objects.filter(pk=environment.pk).update(status=Status.DELETED)
    project = environment.project
    with pytest.raises(Conflict) as caught:
        delete_project(project=project, confirmation=project.slug, actor=cast.alice)
    assert caught.value.code == "projects.has_environments"
    assert (Deployment.objects.count(), Release.objects.count()) == (1, 1)
