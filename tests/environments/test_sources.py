"""Which repositories an environment is made of, and what it does differently from its project."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.audit.models import Event
from apps.environments.models import Environment
from apps.environments.sources import all_sources, effective_sources, set_override
from apps.projects.services import add_repository
from tests.factories import make_environment, make_project


@pytest.fixture
def project(cast):
    return make_project(cast.acme)


def page(name, environment):
    return reverse(f"environments:{name}", args=["acme", "shop", environment.slug])


class TestRepositories:
    @pytest.fixture
    def repositories(self, cast, project):
        add = {"project": project, "actor": cast.alice}
        return {
            kind: add_repository(kind=kind, url=f"https://example.com/{kind}.git", branch="19.0", **add, **more)
            for kind, more in {
                "enterprise": {},
                "module": {"branch_map": {"staging": "rc"}},
                "primary": {},
                "additional": {},
            }.items()
        }

    def test_the_order_of_addons_path(self, project, repositories):
        sources = effective_sources(make_environment(project, "staging", branch="dev"))
        assert [(source.repository.kind, source.branch) for source in sources] == [
            ("additional", "19.0"),
            ("primary", "dev"),
            ("module", "rc"),
            ("enterprise", "19.0"),
        ]

    def test_a_branch_of_ones_own_and_leaving_out(self, cast, sign_in, project, repositories):
        environment = make_environment(project, status="running")
        client, url = sign_in(cast.alice), page("repositories", environment)
        client.post(url, {"repository": repositories["module"].pk, "branch": "fix"})
        client.post(url, {"repository": repositories["enterprise"].pk, "excluded": "on"})
        client.post(url, {"repository": repositories["primary"].pk, "branch": "topic"})
        environment = Environment.objects.get()
        assert [(one.repository.kind, one.branch) for one in effective_sources(environment)] == [
            ("additional", "19.0"),
            ("primary", "topic"),
            ("module", "fix"),
        ]
        assert environment.needs_redeploy
        client.post(url, {"repository": repositories["module"].pk})
        assert not [one for one in all_sources(environment) if one.is_overridden and one.repository.kind == "module"]

    def test_one_of_another_project(self, cast, sign_in, project):
        other = make_project(cast.umbrella)
        theirs = add_repository(
            project=other, kind="module", url="https://example.com/x.git", branch="main", actor=cast.charlie
        )
        url = page("repositories", make_environment(project))
        assert sign_in(cast.alice).post(url, {"repository": theirs.pk, "branch": "x"}).status_code == 404

    @pytest.mark.parametrize("branch", ["--x", "a;b", "a..b", "a\nb"])
    def test_bad_branches(self, cast, sign_in, project, repositories, branch):
        url = page("repositories", make_environment(project))
        values = {"repository": repositories["module"].pk, "branch": branch}
        assert sign_in(cast.alice).post(url, values).status_code == 422

    def test_who_may(self, cast, sign_in, project, repositories):
        url = page("repositories", make_environment(project))
        assert sign_in(cast.vera).get(url).status_code == 200
        assert sign_in(cast.bob).post(url, {}).status_code == 403

    def test_setting_the_same_again_is_harmless(self, cast, project, repositories):
        environment = make_environment(project)
        for _ in range(2):
            set_override(environment=environment, repository=repositories["module"], branch="x", actor=cast.alice)
        assert Event.objects.filter(action="environment.repository_changed").count() == 1
