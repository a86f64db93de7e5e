"""An operation on a project's thing is seen with the project; one of the organization by every member."""

from __future__ import annotations

import pytest
from django.http import Http404

from apps.environments.actions import request_action
from apps.environments.models import Environment, Status
from apps.operations.access import get_operation_or_404
from apps.operations.models import LogLine, Operation, OperationStep
from apps.orgs.project_roles import set_team_role
from apps.servers.models import Server
from tests.factories import make_environment, make_project, make_server


@pytest.fixture
def stopping(cast):
    """An environment of a project on which Bob's team is not."""
    project = make_project(cast.acme, "Hidden")
    environment = make_environment(project, status=Status.RUNNING, server=make_server(cast.acme))
    set_team_role(team=cast.crew, project=project, role=None, actor=cast.alice)
    return request_action(environment=environment, action="stop", user=cast.alice)


def test_it_carries_its_project(stopping):
    environment = Environment.objects.get(pk=stopping.subject_id)
    assert stopping.project_id == environment.project_id


def test_a_developer_sees_it_when_the_team_comes_to_the_project(cast, stopping):
    def seen(user):
        return (
            Operation.objects.visible_to(user).count(),
            OperationStep.objects.visible_to(user).exists(),
            LogLine.objects.visible_to(user).count(),
        )

    assert seen(cast.bob) == (0, False, 0)
    assert seen(cast.vera)[:2] == (1, True)
    with pytest.raises(Http404):
        get_operation_or_404(cast.bob, stopping.pk)
    project = Environment.objects.get(pk=stopping.subject_id).project
    set_team_role(team=cast.crew, project=project, role="viewer", actor=cast.alice)
    assert seen(cast.bob)[:2] == (1, True)
    assert get_operation_or_404(cast.bob, stopping.pk) == stopping


def test_one_of_the_organization_is_seen_by_every_member(cast, stopping):
    Operation.objects.filter(pk=stopping.pk).update(
        project_id=None, subject_type="servers.server", subject_id=Server.objects.get().pk
    )
    assert Operation.objects.visible_to(cast.bob).count() == 1
    assert Operation.objects.visible_to(cast.charlie).count() == 0


def test_it_is_one_query(cast, stopping, django_assert_num_queries):
    for user in (cast.alice, cast.bob, cast.sam):
        with django_assert_num_queries(1):
            list(Operation.objects.visible_to(user))
