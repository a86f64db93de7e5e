"""The pages of environments: who may open them, what they show, and what their buttons do."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from apps.core import clock
from apps.environments.models import Environment, Status
from apps.operations.models import Operation
from tests.environments.test_states import ALLOWED
from tests.factories import make_environment, make_project, make_server

READERS, WORKERS, MANAGERS = "alice anna bob vera", "alice anna bob", "alice anna"
PAGES = [
    ("stages", "GET", READERS, False),
    ("create", "GET", MANAGERS, False),
    ("overview", "GET", READERS, True),
    ("logs", "GET", READERS, True),
    ("variables", "GET", READERS, True),
    ("repositories", "GET", READERS, True),
    ("settings", "GET", READERS, True),
    ("resize", "POST", MANAGERS, True),
    ("destroy", "POST", MANAGERS, True),
]


@pytest.fixture
def environment(cast):
    return make_environment(make_project(cast.acme), server=make_server(cast.acme), status="running")


def address(name, *more):
    return reverse(f"environments:{name}", args=["acme", "shop", *more])


@pytest.mark.parametrize(("name", "method", "allowed", "of_environment"), PAGES, ids=[page[0] for page in PAGES])
class TestEveryPage:
    def url(self, environment, name, of_environment):
        return address(name, *([environment.slug] if of_environment else []))

    def test_a_stranger_finds_nothing(self, cast, sign_in, environment, name, method, allowed, of_environment):
        url = self.url(environment, name, of_environment)
        assert sign_in(cast.charlie).generic(method, url).status_code == 404

    def test_nobody_signs_in_first(self, client, environment, name, method, allowed, of_environment):
        response = client.generic(method, self.url(environment, name, of_environment))
        assert reverse("account_login") in response["Location"]

    def test_members_by_their_role(self, cast, sign_in, environment, name, method, allowed, of_environment):
        url = self.url(environment, name, of_environment)
        for person in READERS.split():
            response = sign_in(getattr(cast, person)).generic(method, url)
            expected = (200, 302, 422) if person in allowed.split() else (403,)
            assert response.status_code in expected, person

    def test_wrong_methods(self, cast, sign_in, environment, name, method, allowed, of_environment):
        url = self.url(environment, name, of_environment)
        assert sign_in(cast.alice).generic("DELETE" if method == "GET" else "GET", url).status_code == 405


class TestActions:
    def url(self, environment, action):
        return address("action", environment.slug, action)

    def test_a_developer_stops_it(self, cast, sign_in, environment):
        response = sign_in(cast.bob).post(self.url(environment, "stop"))
        assert response["Location"] == address("overview", environment.slug)
        assert Operation.objects.get().kind == "environment.stop"

    def test_a_second_press_is_told(self, cast, sign_in, environment):
        client = sign_in(cast.bob)
        client.post(self.url(environment, "stop"))
        response = client.post(self.url(environment, "stop"))
        assert response.status_code == 409
        assert Operation.objects.count() == 1

    @pytest.mark.parametrize("status", [status for status in Status.values if status != "deleted"])
    @pytest.mark.parametrize("action", ["start", "resume", "stop", "pause", "restart", "sync", "deploy", "redeploy"])
    def test_what_the_state_does_not_allow_is_refused_with_409(self, cast, sign_in, environment, status, action):
        Environment.objects.update(status=status)
        response = sign_in(cast.bob).post(self.url(environment, action))
        if action in ALLOWED[status].split():
            assert response.status_code == 302
            assert Operation.objects.count() == 1
        else:
            assert response.status_code == 409
            assert "It is not possible to" in response.content.decode()
            assert not Operation.objects.exists()

    def test_who_may(self, cast, sign_in, environment):
        url = self.url(environment, "stop")
        assert sign_in(cast.charlie).post(url).status_code == 404
        assert sign_in(cast.vera).post(url).status_code == 403
        assert sign_in(cast.bob).get(url).status_code == 405

    @pytest.mark.parametrize("action", ["explode", "destroy", "clone", "purge", "resize"])
    def test_there_are_no_other_actions(self, cast, sign_in, environment, action):
        assert sign_in(cast.alice).post(self.url(environment, action)).status_code == 404

    def test_deploying_leads_to_the_deployment(self, cast, sign_in, environment):
        response = sign_in(cast.bob).post(self.url(environment, "redeploy"))
        assert response["Location"] == f"{address('overview', environment.slug)}deployments/1/"

    def test_without_a_server(self, cast, sign_in):
        environment = make_environment(make_project(cast.acme, "Bakery"))
        url = reverse("environments:action", args=["acme", "bakery", environment.slug, "deploy"])
        response = sign_in(cast.bob).post(url)
        assert response.status_code == 409
        assert "has no server" in response.content.decode()


class TestOverview:
    def test_what_is_not_possible_is_shown_with_the_reason(self, cast, sign_in, environment):
        content = sign_in(cast.bob).get(address("overview", environment.slug)).content.decode()
        assert address("action", environment.slug, "stop") in content
        assert 'title="It is running."' in content
        assert environment.url in content

    def test_a_viewer_sees_disabled_buttons(self, cast, sign_in, environment):
        content = sign_in(cast.vera).get(address("overview", environment.slug)).content.decode()
        assert address("action", environment.slug, "stop") not in content
        assert "Your role does not allow this." in content

    def test_the_way_into_odoo_is_there_while_it_runs(self, cast, sign_in, environment):
        client, url = sign_in(cast.bob), address("overview", environment.slug)
        assert f"{url}access/" in client.get(url).content.decode()
        Environment.objects.update(status="stopped")
        assert f"{url}access/" not in client.get(url).content.decode()

    def test_no_page_shows_a_secret(self, cast, sign_in, environment):
        client = sign_in(cast.alice)
        for name in ("overview", "settings", "variables", "repositories", "logs"):
            content = client.get(address(name, environment.slug)).content.decode()
            for secret in (environment.database_password, environment.master_password, environment.admin_password):
                assert secret not in content

    def test_htmx_gets_the_part_that_changes(self, cast, sign_in, environment):
        client, url = sign_in(cast.bob), address("overview", environment.slug)
        client.post(address("action", environment.slug, "stop"))
        part = client.get(url, headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in part
        assert "Stop shop-development-1" in part
        assert "is under way." in part

    def test_the_end_of_an_operation_brings_what_it_led_to(self, cast, sign_in, environment):
        """Without loading the page again: the way into Odoo, the list of deployments, and the head."""
        client, url = sign_in(cast.bob), address("overview", environment.slug)
        client.post(address("action", environment.slug, "stop"))
        Environment.objects.filter(pk=environment.pk).update(status="deploying")
        page = client.get(url).content.decode()
        assert 'id="access"></div>' in page
        assert "hx-swap-oob" not in page
        part = client.get(url, headers={"HX-Request": "true"}).content.decode()
        assert 'hx-trigger="every 2s"' in part
        assert "hx-swap-oob" not in part

        Operation.objects.update(status="completed", finished_at=clock.now(), lease_token=None)
        Environment.objects.filter(pk=environment.pk).update(status="running")
        part = client.get(url, headers={"HX-Request": "true"}).content.decode()
        assert 'hx-trigger="every 2s"' not in part
        for name in ("environment-head", "last-deployments", "access"):
            assert re.search(rf'id="{name}"\s+hx-swap-oob="true"', part), name
        assert f'hx-get="{url}access/"' in part

    def test_a_deleted_one_is_gone(self, cast, sign_in, environment):
        Environment.objects.update(status="deleted")
        assert sign_in(cast.alice).get(address("overview", environment.slug)).status_code == 404


class TestStages:
    def test_columns_and_destroyed_ones(self, cast, sign_in, environment):
        gone = make_environment(environment.project, "staging", server=environment.server)
        Environment.objects.filter(pk=gone.pk).update(status="deleted")
        response = sign_in(cast.alice).get(address("stages"))
        columns = {kind: [one.name for one in environments] for kind, _, environments in response.context["columns"]}
        assert columns == {"development": ["shop-development-1"], "staging": [], "production": []}
        assert [(one.name, may) for one, may in response.context["destroyed"]] == [("shop-staging-1", False)]

    def test_a_constant_number_of_queries(self, cast, sign_in, environment, django_assert_max_num_queries):
        client = sign_in(cast.alice)
        client.get(address("stages"))
        for kind in ("development", "staging", "production"):
            for _ in range(2):
                make_environment(environment.project, kind, server=environment.server, memory_megabytes=512)
        with django_assert_max_num_queries(20):
            client.get(address("stages"))


class TestCapacityPage:
    def test_who_takes_what(self, cast, sign_in, environment):
        url = reverse("environments:capacity", args=["acme", environment.server.slug])
        content = sign_in(cast.vera).get(url).content.decode()
        assert environment.name in content
        assert "<html" in content
        part = sign_in(cast.vera).get(url, headers={"HX-Request": "true"}).content.decode()
        assert environment.name in part
        assert "<html" not in part

    def test_who_may(self, cast, sign_in, environment):
        url = reverse("environments:capacity", args=["acme", environment.server.slug])
        assert sign_in(cast.charlie).get(url).status_code == 404
        assert sign_in(cast.vera).post(url).status_code == 405
