"""Which repositories an environment is made of, from which branches, in which order.

Tiers, the highest first: what belongs to the project, then what the platform offers to everybody. Of modules with the
same technical name the one of the higher tier counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.environments.changes import mark_changed
from apps.environments.models import Environment, RepositoryOverride
from apps.environments.states import ensure_editable
from apps.platform.models import PlatformRepository
from apps.projects.git_sources import GitSource, platform_source
from apps.projects.models import Project, Repository

# The kind of a platform repository, beside those of `Repository.Kind`.
PLATFORM = "platform"
# Highest priority first, as addons_path reads it. Enterprise stands behind what belongs to the project, and before
# the modules of Odoo Community, which Odoo adds itself.
ORDER = (
    Repository.Kind.ADDITIONAL,
    Repository.Kind.PRIMARY,
    Repository.Kind.MODULE,
    Repository.Kind.ENTERPRISE,
)


@dataclass(frozen=True)
class Source:
    """One repository of an environment."""

    repository: Repository | PlatformRepository
    branch: str
    inherited_branch: str
    excluded: bool

    @property
    def is_platform(self) -> bool:
        """True for a repository of the platform, which is not the project's to change."""
        return isinstance(self.repository, PlatformRepository)

    @property
    def kind(self) -> str:
        """As releases note it."""
        return PLATFORM if isinstance(self.repository, PlatformRepository) else self.repository.kind

    @property
    def kind_label(self) -> str:
        """The same for people."""
        return "Platform" if isinstance(self.repository, PlatformRepository) else self.repository.get_kind_display()

    @property
    def git(self) -> GitSource:
        """How its code is fetched."""
        if isinstance(self.repository, PlatformRepository):
            return platform_source(self.repository, self.branch)
        return self.repository

    @property
    def subdirectory(self) -> str:
        """The folder of the repository that is taken; all of one of the platform. Known without its secrets."""
        return "" if isinstance(self.repository, PlatformRepository) else self.repository.subdirectory

    @property
    def is_overridden(self) -> bool:
        """True where the environment differs from its project."""
        return self.excluded or self.branch != self.inherited_branch


def all_sources(environment: Environment) -> list[Source]:
    """All repositories in their order, excluded ones too (for pages)."""
    overrides = {override.repository_id: override for override in environment.repository_overrides.all()}
    repositories = environment.project.repositories.select_related("credential", "project").all()
    ordered = sorted(repositories, key=lambda one: (ORDER.index(one.kind), one.priority, one.slug))
    own = [_source(environment, repository, overrides.get(repository.pk)) for repository in ordered]
    return [*own, *platform_sources(environment.project)]


def platform_sources(project: Project) -> list[Source]:
    """The platform's repositories that have a branch for the project's version, unless the project leaves them out."""
    if not project.use_platform_repositories:
        return []
    found = []
    for repository in PlatformRepository.objects.filter(is_active=True).order_by("priority", "slug"):
        branch = repository.branch_for(project.odoo_version)
        if branch:
            found.append(Source(repository, branch, branch, False))
    return found


def effective_sources(environment: Environment) -> list[Source]:
    """What is deployed: `all_sources` without the excluded ones."""
    return [source for source in all_sources(environment) if not source.excluded]


@transaction.atomic
def set_override(
    *, environment: Environment, repository: Repository, actor: User, branch: str = "", excluded: bool = False
) -> None:
    """Gives the environment a branch of its own, or leaves the repository out; with neither it inherits again.
    The branch of the primary repository is the environment's own branch: change it with `update_environment`.

    Raises ValidationError, Conflict `environments.not_editable`.
    """
    environment = Environment.objects.select_for_update(of=["self"]).get(pk=environment.pk)
    ensure_editable(environment)
    found = environment.repository_overrides.filter(repository=repository).first()
    before = {"branch": found.branch, "excluded": found.excluded} if found else {}
    after = {"branch": branch, "excluded": excluded} if branch or excluded else {}
    if before == after:
        return
    if not after:
        found.delete()
    else:
        override = found or RepositoryOverride(environment=environment, repository=repository)
        override.branch, override.excluded = branch, excluded
        override.full_clean(validate_unique=False, validate_constraints=False)
        override.save()
    audit.record(
        action="environment.repository_changed",
        actor=actor,
        organization_id=environment.project.organization_id,
        target=environment,
        before={"repository": repository.name, **before},
        after={"repository": repository.name, **after},
    )
    mark_changed(environment, f"Repository {repository.name}")


def _source(environment: Environment, repository: Repository, override: RepositoryOverride | None) -> Source:
    if repository.kind == Repository.Kind.PRIMARY:
        return Source(repository, environment.branch, environment.branch, False)
    inherited = repository.branch_for(environment.environment_type)
    if override is None:
        return Source(repository, inherited, inherited, False)
    return Source(repository, override.branch or inherited, inherited, override.excluded)
