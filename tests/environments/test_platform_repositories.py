"""Repositories of the platform among those of an environment, and a project that leaves them out."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.audit.models import Event
from apps.environments.sources import all_sources, effective_sources
from apps.platform.models import PlatformRepository
from apps.projects.services import add_repository, update_project
from tests.factories import make_environment, make_project


@pytest.fixture
def project(cast):
    found = make_project(cast.acme)
    for kind in ("enterprise", "primary"):
        add_repository(project=found, kind=kind, url=f"https://example.com/{kind}.git", branch="19.0", actor=cast.alice)
    return found


def offer(slug: str, **values: object) -> PlatformRepository:
    fields = {"name": slug.title(), "url": f"https://git.example.com/{slug}.git", "branch_map": {"19.0": "stable"}}
    return PlatformRepository.objects.create(slug=slug, **(fields | values))


def test_they_come_last_by_their_numbers(project):
    offer("late", priority=200)
    offer("early", priority=1, branch_map={"19.0": "main", "18.0": "18.0"})
    offer("other-version", branch_map={"18.0": "18.0"})
    offer("switched-off", is_active=False)
    sources = effective_sources(make_environment(project, "staging", branch="dev"))
    assert [(source.kind, source.repository.slug, source.branch) for source in sources] == [
        ("primary", "primary", "dev"),
        ("enterprise", "enterprise", "19.0"),
        ("platform", "early", "main"),
        ("platform", "late", "stable"),
    ]


def test_the_token_is_for_its_own_server_only(project):
    offer("closed", token="planted-token", username="reader")
    offer("open")
    closed, free = (source.git for source in all_sources(make_environment(project)) if source.is_platform)
    assert (closed.credential.host, closed.credential.username) == ("git.example.com", "reader")
    assert closed.credential.token == "planted-token"
    assert closed.credential.organization_id is None
    assert free.credential is None


def test_a_project_leaves_them_out_by_its_page(cast, sign_in, project):
    offer("extra")
    running = make_environment(project, status="running")
    client, url = sign_in(cast.alice), reverse("projects:settings", args=["acme", "shop"])
    values = {"name": "Shop", "odoo_version": "19.0", "default_branch": "main", "install_modules": "", "image": ""}
    assert client.post(url, values | {"use_platform_repositories": "on"}).status_code == 302
    running.refresh_from_db()
    assert not running.needs_redeploy
    assert client.post(url, values).status_code == 302
    project.refresh_from_db()
    assert not project.use_platform_repositories
    assert not [source for source in all_sources(make_environment(project)) if source.is_platform]
    running.refresh_from_db()
    assert running.needs_redeploy
    event = Event.objects.filter(action="project.updated").latest("created_at")
    assert (event.before["use_platform_repositories"], event.after["use_platform_repositories"]) == (True, False)
    assert sign_in(cast.vera).post(url, values).status_code == 403
    assert sign_in(cast.charlie).post(url, values).status_code == 404


def test_the_same_again_is_harmless(cast, project):
    for _ in range(2):
        update_project(project=project, actor=cast.alice, use_platform_repositories=False)
    assert Event.objects.filter(action="project.updated").count() == 1


def test_pages_show_them_and_change_nothing_of_them(cast, sign_in, project):
    extra = offer("extra", token="planted-token")
    environment = make_environment(project)
    client = sign_in(cast.alice)
    overview, address = (
        reverse(f"environments:{name}", args=["acme", "shop", environment.slug])
        for name in ("overview", "repositories")
    )
    content = client.get(address).content.decode()
    assert "https://git.example.com/extra.git" in content
    assert "planted-token" not in content
    assert f'value="{extra.pk}"' not in content
    assert "Extra" in client.get(overview).content.decode()
    assert client.post(address, {"repository": extra.pk, "excluded": "on"}).status_code == 404
