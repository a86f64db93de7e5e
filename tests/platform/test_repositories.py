"""Staff look whether deployments can have the code of a platform repository; what is known of it goes with it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.deployments.models import SourceSnapshot
from apps.platform.models import PlatformRepository
from apps.projects import git
from apps.projects.git_sources import platform_source
from tests.lab.addons import odoo_module

REPOSITORIES = "/admin/platform/platformrepository/"


@pytest.fixture(autouse=True)
def _own_mirrors(tmp_path: Path, settings: Any) -> None:
    settings.RUN_DIRECTORY = tmp_path


def offer(url: str, **values: Any) -> PlatformRepository:
    fields = {"name": "Tools", "slug": "tools", "branch_map": {"19.0": "main", "18.0": "old"}}
    return PlatformRepository.objects.create(url=url, **(fields | values))


def said(client: Any, repository: PlatformRepository) -> str:
    values = {"action": "check_branches", "_selected_action": [str(repository.pk)]}
    answer = client.post(REPOSITORIES, values, follow=True)
    return "\n".join(str(message) for message in answer.context["messages"])


@pytest.mark.lab
def test_the_check_names_the_commit_of_each_version(cast, sign_in, git_server):
    remote = git_server.create(f"tools-{time.time_ns()}", modules={"tools": odoo_module("tools")}, private=True)
    repository = offer(remote.url, token=remote.token)
    sam = sign_in(cast.sam)
    words = said(sam, repository)
    assert f"Tools, Odoo 19.0: main is {remote.head()}" in words
    assert "Odoo 18.0: old cannot be used. There is no branch or tag old" in words
    remote.renew_token()
    words = said(sam, repository)
    assert "refused the access token" in words
    assert repository.token not in words


def test_an_address_inside_is_not_asked(cast, sign_in):
    assert "cannot be used" in said(sign_in(cast.sam), offer("https://127.0.0.1/tools.git"))


def test_who_may_check(cast, sign_in):
    repository = offer("https://127.0.0.1/tools.git")
    cast.sam.is_superuser = False
    cast.sam.save()
    assert "cannot be used" not in said(sign_in(cast.sam), repository)
    assert sign_in(cast.alice).post(REPOSITORIES, {"action": "check_branches"}).status_code == 302


@pytest.mark.parametrize("url", ["git@git.example.com:a/b.git", "ssh://git@git.example.com/a", "https://me@git.test/a"])
def test_addresses_that_no_token_opens(db, url):
    with pytest.raises(ValidationError) as caught:
        PlatformRepository(name="Tools", slug="tools", url=url, branch_map={"19.0": "main"}).full_clean()
    assert "url" in caught.value.message_dict


def test_what_was_read_of_it_goes_with_it(cast, sign_in, django_capture_on_commit_callbacks):
    repository = offer("https://git.example.com/tools.git")
    SourceSnapshot.objects.create(platform_repository=repository, commit="a" * 40, modules={})
    mirror = git.mirror_path(platform_source(repository, "main"))
    mirror.mkdir(parents=True)
    repository.name = "Renamed"
    with django_capture_on_commit_callbacks(execute=True):
        repository.save()
    assert mirror.exists()
    with django_capture_on_commit_callbacks(execute=True):
        repository.url = "https://git.example.com/moved.git"
        repository.save()
    assert not mirror.exists()
    mirror.mkdir(parents=True)
    with django_capture_on_commit_callbacks(execute=True):
        answer = sign_in(cast.sam).post(f"{REPOSITORIES}{repository.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not PlatformRepository.objects.exists()
    assert not SourceSnapshot.objects.exists()
    assert not mirror.exists()
