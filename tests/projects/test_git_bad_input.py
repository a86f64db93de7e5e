"""Addresses, branches and hosts that never reach the git program."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from apps.core.exceptions import Problem
from apps.projects import git
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
