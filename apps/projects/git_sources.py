"""What can be fetched from: a project's repository as it is stored, or one of the platform."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Protocol

from apps.platform.models import PlatformRepository
from apps.projects.models import GitCredential
from apps.projects.validators import host_of


class GitSource(Protocol):
    """All that Git asks of a repository: who it is (the name of its mirror), where it lies, and what opens it. A
    `Repository` is one, saved or not."""

    @property
    def pk(self) -> uuid.UUID: ...

    @property
    def url(self) -> str: ...

    @property
    def branch(self) -> str: ...

    @property
    def credential(self) -> GitCredential | None: ...

    @property
    def subdirectory(self) -> str: ...

    @property
    def is_shallow(self) -> bool:
        """True where the history is so long that commits are fetched one by one, without it."""
        ...


@dataclass(frozen=True)
class PlatformSource:
    """A repository of the platform, on one branch."""

    pk: uuid.UUID
    url: str
    branch: str
    credential: GitCredential | None
    subdirectory: str = ""
    is_shallow: bool = False


def platform_source(repository: PlatformRepository, branch: str) -> PlatformSource:
    """How Git reaches a repository of the platform. Its token is its own, and sent to its own server only."""
    credential = None
    if repository.token:
        credential = GitCredential(
            kind=GitCredential.Kind.TOKEN,
            host=host_of(repository.url),
            username=repository.username,
            token=repository.token,
        )
    return PlatformSource(repository.pk, repository.url, branch, credential)
