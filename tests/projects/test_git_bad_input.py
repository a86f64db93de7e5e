"""Addresses, branches and hosts that never reach the git program."""

from __future__ import annotations

import time

import pytest
from django.core.exceptions import ValidationError

from apps.core.exceptions import Problem
from apps.projects import git
from apps.projects.git_process import MAXIMUM_OUTPUT_BYTES, run_git
from apps.projects.models import Repository


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c id",
        "file:///etc",
        "/etc",
        "--upload-pack=touch /tmp/x",
        "https://host/--upload-pack=x;id",
        "https://host/$(id).git",
        "https://host/a\nb",
        "https://host/a\0b",
        "https://host/../etc",
        "https://user:secret@host/a.git",
        "https://token@host/a.git",
        "ssh://-oProxyCommand=id/a",
        "-oProxyCommand=id:a",
        "git@host:-a",
        "git://host/a.git",
        "http://",
        "",
    ],
)
def test_addresses_that_never_reach_git(url):
    with pytest.raises(ValidationError):
        git.list_branches(Repository(url=url))


@pytest.mark.parametrize("branch", ["--upload-pack=id", "a;b", "$(id)", "a\nb", "a\0b", "a..b", "-x", "a:b", "refs/*"])
def test_branches_that_never_reach_git(branch):
    with pytest.raises(ValidationError):
        git.resolve(Repository(url="https://example.com/a.git"), branch)


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "[::1]", "10.0.0.1", "localhost"])
def test_private_addresses_are_refused_unless_allowed(settings, address):
    settings.ALLOWED_PRIVATE_NETWORKS = []
    with pytest.raises(Problem) as caught:
        git.list_branches(Repository(url=f"https://{address}/a.git"))
    assert caught.value.code == "core.address_not_allowed"


@pytest.mark.parametrize("command", ["!yes", "!yes >&2"])
def test_words_without_end_are_not_listened_to(command):
    began = time.monotonic()
    with pytest.raises(Problem) as caught:
        run_git(["-c", f"alias.flood={command}", "flood"], timeout=60, context={"repository": "https://example.com/a"})
    assert caught.value.code == "projects.git_says_too_much"
    assert f"{MAXIMUM_OUTPUT_BYTES // 2**20} MB" in caught.value.title
    assert time.monotonic() - began < 30
