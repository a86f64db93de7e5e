"""Home: whose organization it is, what needs a person first, and the steps from nothing to a running Odoo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.core import clock
from apps.portal.dashboard import CARDS_PER_PROJECT, PROJECTS_PER_PAGE, dashboard_for
from apps.projects.models import Project
from tests.browser.scene import Scene, build_scene, make_environment
from tests.cast import Cast, make_person

SignIn = Callable[[User], Client]


@pytest.fixture
def scene(db: None) -> Scene:
    return build_scene()


def test_the_root_leads_to_the_organization_that_one_was_in_last(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    assert client.get("/").headers["Location"] == "/o/acme/"


def test_without_an_organization_the_root_leads_to_making_one(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(make_person("Newcomer"))
    assert client.get("/").headers["Location"] == "/o/new/"
    answer = client.post("/o/new/", {"name": "New Wave", "slug": ""})
    assert answer.headers["Location"] == "/o/new-wave/"
    assert client.get("/o/new-wave/").status_code == 200


def test_a_short_name_that_is_taken_is_said_beside_the_field(cast: Cast, sign_in: SignIn) -> None:
    answer = sign_in(cast.bob).post("/o/new/", {"name": "Acme too", "slug": "acme"})
    assert answer.status_code == 422
    assert "The short name acme is taken." in answer.content.decode()
    assert 'value="Acme too"' in answer.content.decode()


def test_a_stranger_finds_nothing(cast: Cast, sign_in: SignIn) -> None:
    for address in ("", "settings/", "search/?q=a", "activity/", "activity/running/"):
        assert sign_in(cast.charlie).get(f"/o/acme/{address}").status_code == 404, address


def test_nobody_is_sent_to_sign_in(client: Client, cast: Cast) -> None:
    assert client.get("/o/acme/").headers["Location"] == "/account/login/?next=/o/acme/"


def test_the_steps_of_an_empty_organization_begin_with_a_server(cast: Cast) -> None:
    dashboard = dashboard_for(cast.umbrella, cast.charlie)
    assert [step.state for step in dashboard.path] == ["now", "later", "later", "later"]
    assert dashboard.path[0].url == "/o/umbrella/servers/new/"
    assert dashboard.is_beginning


def test_a_step_that_one_may_not_do_has_no_button(cast: Cast) -> None:
    assert dashboard_for(cast.acme, cast.vera).path[0].url == ""


def test_what_needs_a_person_is_named_the_worst_first(scene: Scene) -> None:
    dashboard = dashboard_for(scene.organization, scene.cast.alice)
    titles = [concern.title for concern in dashboard.concerns]
    assert "Server old-box cannot be reached" in titles
    assert "Contoso Manufacturing · Contoso staging is down" in titles
    assert titles[-1] == "Northwind ERP · Development: the last deployment failed"
    assert not dashboard.is_beginning


def test_production_stands_before_development(scene: Scene) -> None:
    dashboard = dashboard_for(scene.organization, scene.cast.alice)
    northwind = next(group for group in dashboard.groups if group.project.slug == "northwind-erp")
    kinds = [card.environment.environment_type for card in northwind.cards]
    assert kinds == ["production", "staging", "development", "development"]


def test_many_cards_and_projects_have_pages(scene: Scene, django_assert_max_num_queries: Callable) -> None:
    project = scene.projects[2]
    for number in range(CARDS_PER_PROJECT + 3):
        make_environment(project, f"extra-{number}", "development", "running", scene.servers[1], 300 + number)
    for number in range(PROJECTS_PER_PAGE):
        Project.objects.create(
            organization=scene.organization, name=f"Project {number}", slug=f"project-{number}", odoo_version="19.0"
        )
    with django_assert_max_num_queries(12):
        dashboard = dashboard_for(scene.organization, scene.cast.alice)
        groups = list(dashboard.groups)
    assert len(groups) == PROJECTS_PER_PAGE
    portal = next(group for group in groups if group.project == project)
    assert (len(portal.cards), portal.left_out) == (CARDS_PER_PROJECT, 5)


def test_a_deployment_that_runs_is_shown_with_its_progress(scene: Scene, sign_in: SignIn) -> None:
    page = sign_in(scene.cast.bob).get("/o/acme/").content.decode()
    assert "Deploy Staging</a>, 56 %" in page


def test_running_operations_are_counted_on_every_page(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.cast.vera)
    assert 'data-running="2"' in client.get("/o/acme/settings/").content.decode()
    assert 'data-running-count="2"' in client.get("/o/acme/activity/running/").content.decode()


def test_an_operation_that_ended_long_ago_leaves_the_drawer(scene: Scene, sign_in: SignIn) -> None:
    client = sign_in(scene.cast.alice)
    operation = scene.operations["completed"]
    type(operation).objects.filter(pk=operation.pk).update(finished_at=clock.now() - timedelta(minutes=2))
    assert operation.title in client.get("/o/acme/activity/running/").content.decode()
    type(operation).objects.filter(pk=operation.pk).update(finished_at=clock.now() - timedelta(hours=2))
    assert operation.title not in client.get("/o/acme/activity/running/").content.decode()
