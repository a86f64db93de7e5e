"""Projects and their repositories: every write."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core.exceptions import Conflict, Problem
from apps.orgs.models import Organization
from apps.platform.current import offered_versions
from apps.projects import git, registry, signals
from apps.projects.models import GitCredential, Project, RegistryAccount, Repository
from apps.projects.validators import RESERVED_SLUGS

PROJECT_FIELDS = (
    "name",
    "description",
    "image",
    "registry_account",
    "default_branch",
    "install_modules",
    "use_platform_repositories",
)
# What a deployment has to apply.
_DEPLOYED = {"image", "registry_account", "install_modules", "use_platform_repositories"}
REPOSITORY_FIELDS = ("name", "url", "branch", "branch_map", "credential", "priority", "subdirectory")
_SLUG_LENGTH = 40


def suggest_slug(organization: Organization, name: str) -> str:
    """A free short name made of the name: `shop`, `shop-2`, …"""
    base = slugify(name)[: _SLUG_LENGTH - 4].strip("-") or "project"
    taken = set(Project.objects.filter(organization=organization).values_list("slug", flat=True)) | RESERVED_SLUGS
    return next(
        slug for slug in (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))) if slug not in taken
    )


def _ensure_offered(version: str) -> None:
    if version not in dict(offered_versions()):
        raise ValidationError({"odoo_version": f"Odoo {version[:10]} is not offered here."})


@transaction.atomic
def create_project(
    *,
    organization: Organization,
    name: str,
    odoo_version: str,
    actor: User,
    slug: str = "",
    repository_url: str = "",
    branch: str = "main",
    credential: GitCredential | None = None,
    **fields: Any,
) -> Project:
    """A new project, with its primary repository when an address is given.

    Raises ValidationError for bad input (an unsupported version among them), Conflict `projects.slug_taken`.
    """
    _ensure_offered(odoo_version)
    project = Project(
        organization=organization,
        name=name,
        slug=slug or suggest_slug(organization, name),
        odoo_version=odoo_version,
        default_branch=branch,
        **{key: value for key, value in fields.items() if key in PROJECT_FIELDS},
    )
    _save_new(project, Conflict("projects.slug_taken", slug=project.slug))
    audit.record(
        action="project.created",
        actor=actor,
        organization_id=organization.pk,
        target=project,
        after=audit.snapshot(project, ["name", "slug", "odoo_version", "image", "use_platform_repositories"]),
    )
    if repository_url:
        kind = Repository.Kind.PRIMARY
        add_repository(
            project=project, kind=kind, url=repository_url, branch=branch, credential=credential, actor=actor
        )
    return project


@transaction.atomic
def update_project(*, project: Project, actor: User, **changes: Any) -> Project:
    """Changes what may change; environments are told that they differ from what runs.

    Raises ValidationError, Conflict `projects.version_is_fixed`.
    """
    project = Project.objects.select_for_update().get(pk=project.pk)
    version = changes.pop("odoo_version", project.odoo_version)
    names = [name for name in PROJECT_FIELDS if name in changes]
    before = audit.snapshot(project, [*names, "odoo_version"])
    if version != project.odoo_version:
        _refuse_while_used(project, "projects.version_is_fixed")
        _ensure_offered(version)
        project.odoo_version = version
    for name in names:
        setattr(project, name, changes[name])
    project.full_clean()
    project.save()
    after = audit.snapshot(project, [*names, "odoo_version"])
    if before != after:
        audit.record(
            action="project.updated",
            actor=actor,
            organization_id=project.organization_id,
            target=project,
            before=before,
            after=after,
        )
        if _DEPLOYED & {name for name in after if before[name] != after[name]}:
            reason = "The project's image, modules or repositories were changed."
            signals.source_changed.send(Project, project=project, reason=reason)
    return project


@transaction.atomic
def delete_project(*, project: Project, confirmation: str, actor: User) -> None:
    """Deletes a project of which nothing runs any more. `confirmation` is its short name, typed by the person.

    Raises Problem `projects.confirmation_differs`, Conflict `projects.has_environments`.
    """
    project = Project.objects.select_for_update().get(pk=project.pk)
    if confirmation != project.slug:
        raise Problem("projects.confirmation_differs", expected=project.slug)
    _refuse_while_used(project, "projects.has_environments")
    repositories = list(project.repositories.values_list("pk", flat=True))
    audit.record(
        action="project.deleted",
        actor=actor,
        organization_id=project.organization_id,
        target=project,
        before=audit.snapshot(project, ["name", "slug", "odoo_version"]),
    )
    signals.project_deleting.send(Project, project=project)
    project.delete()
    for repository_id in repositories:
        transaction.on_commit(lambda pk=repository_id: git.remove_mirror(pk))


@transaction.atomic
def add_repository(*, project: Project, kind: str, url: str, branch: str, actor: User, **fields: Any) -> Repository:
    """Adds a repository; its short name is made of its name or address, and stays.

    Raises ValidationError, Conflict `projects.primary_exists`.
    """
    if kind == Repository.Kind.PRIMARY and project.primary_repository is not None:
        raise Conflict("projects.primary_exists")
    name = fields.pop("name", "") or _name_from(url)
    repository = Repository(
        project=project,
        kind=kind,
        url=url,
        branch=branch,
        name=name,
        slug=_repository_slug(project, name),
        **{key: value for key, value in fields.items() if key in REPOSITORY_FIELDS},
    )
    _save_new(repository, Conflict("projects.name_taken", name=name))
    _record_repository("repository.added", repository, actor, after=_repository_facts(repository))
    return repository


@transaction.atomic
def update_repository(*, repository: Repository, actor: User, **changes: Any) -> Repository:
    """Changes a repository; what was fetched from another address is forgotten."""
    repository = Repository.objects.select_for_update(of=["self"]).get(pk=repository.pk)
    before = _repository_facts(repository)
    for name in REPOSITORY_FIELDS:
        if name in changes:
            setattr(repository, name, changes[name])
    repository.full_clean()
    repository.save()
    after = _repository_facts(repository)
    if before != after:
        _record_repository("repository.updated", repository, actor, before=before, after=after)
    if before["url"] != after["url"]:
        transaction.on_commit(lambda: git.remove_mirror(repository.pk))
    return repository


@transaction.atomic
def remove_repository(*, repository: Repository, actor: User) -> None:
    """Removes a repository from its project; what runs keeps its files until the next deployment."""
    repository_id = repository.pk
    _record_repository("repository.removed", repository, actor, before=_repository_facts(repository))
    repository.delete()
    transaction.on_commit(lambda: git.remove_mirror(repository_id))


def check_repository(*, url: str, credential: GitCredential | None = None) -> list[git.Branch]:
    """The branches behind an address, asked live. Raises ValidationError, Problem `projects.*`."""
    return git.list_branches(Repository(url=url, credential=credential, branch="main"))


def check_registry_account(account: RegistryAccount) -> None:
    """Signs in at the registry for real. Raises Problem `projects.registry_*`."""
    registry.check_login(account)


def _refuse_while_used(project: Project, code: str) -> None:
    """Environments stand in a layer above: they answer by the signal."""
    answers = signals.project_in_use.send(Project, project=project)
    names = [name for _receiver, found in answers for name in found or ()]
    if names:
        raise Conflict(code, project=project.name, environments=", ".join(names))


def _save_new(instance: Project | Repository, taken: Conflict) -> None:
    instance.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            instance.save(force_insert=True)
    except IntegrityError as error:
        raise taken from error


def _name_from(url: str) -> str:
    return url.rstrip("/").replace(":", "/").rsplit("/", 1)[-1].removesuffix(".git") or "repository"


def _repository_slug(project: Project, name: str) -> str:
    base = slugify(name)[:50].strip("-") or "repository"
    taken = set(project.repositories.values_list("slug", flat=True))
    return next(
        slug for slug in (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))) if slug not in taken
    )


def _repository_facts(repository: Repository) -> dict[str, Any]:
    return audit.snapshot(repository, ["kind", *REPOSITORY_FIELDS])


def _record_repository(action: str, repository: Repository, actor: User, **facts: Any) -> None:
    audit.record(
        action=action, actor=actor, organization_id=repository.project.organization_id, target=repository, **facts
    )
    project = repository.project
    signals.source_changed.send(Project, project=project, reason=f"The repository {repository.name} was changed.")
