"""Roles on projects come with an invitation, and go with the project and with the membership. The platform's
repositories are read by the Git of this layer."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import CharField
from django.db.models.functions import Cast
from django.db.models.signals import post_delete, pre_save
from django.dispatch import receiver

from apps.core.exceptions import Problem
from apps.orgs import project_roles
from apps.orgs.models import Membership
from apps.orgs.roles import ProjectRole
from apps.orgs.signals import invitation_accepted
from apps.platform.models import PlatformRepository
from apps.platform.signals import CheckedBranch, repository_checked
from apps.projects import git
from apps.projects.git_sources import platform_source
from apps.projects.models import Project


@receiver(repository_checked, dispatch_uid="projects.platform_repository_checked")
def check_platform_repository(repository: PlatformRepository, **details: Any) -> list[CheckedBranch]:
    """Asks the Git server what each branch means now."""
    return [_check(repository, version, branch) for version, branch in sorted(repository.branch_map.items())]


@receiver(pre_save, sender=PlatformRepository, dispatch_uid="projects.platform_repository_moves")
def platform_repository_moves(instance: PlatformRepository, **details: Any) -> None:
    """What was fetched from another address is forgotten."""
    if PlatformRepository.objects.filter(pk=instance.pk).exclude(url=instance.url).exists():
        transaction.on_commit(lambda: git.remove_mirror(instance.pk))


@receiver(post_delete, sender=PlatformRepository, dispatch_uid="projects.platform_repository_deleted")
def platform_repository_deleted(instance: PlatformRepository, **details: Any) -> None:
    repository_id = instance.pk
    transaction.on_commit(lambda: git.remove_mirror(repository_id))


@receiver(invitation_accepted, dispatch_uid="projects.invitation_accepted")
def invitation_was_accepted(invitation: Any, user: Any, **details: Any) -> None:
    """The invited Developer reaches the projects that the invitation names, those of them that are still there. As
    Viewer: what a Developer may do there besides comes from being one, and the inviter was asked about no more."""
    projects = Project.objects.filter(pk__in=invitation.project_ids, organization_id=invitation.organization_id)
    for project in projects:
        project_roles.set_invited_role(user=user, project=project, role=ProjectRole.VIEWER)


@receiver(post_delete, sender=Project, dispatch_uid="projects.project_deleted")
def project_deleted(instance: Project, **details: Any) -> None:
    project_roles.forget_project(project_id=instance.pk, organization_id=instance.organization_id)


@receiver(post_delete, sender=Membership, dispatch_uid="projects.member_left")
def member_left(instance: Membership, **details: Any) -> None:
    projects = Project.objects.filter(organization_id=instance.organization_id)
    project_roles.forget_person(
        user_id=instance.user_id, projects=projects.annotate(text=Cast("pk", CharField())).values("text")
    )


def _check(repository: PlatformRepository, version: str, branch: str) -> CheckedBranch:
    try:
        commit = git.resolve(platform_source(repository, branch), branch)
    except Problem as problem:
        return CheckedBranch(version, branch, False, f"cannot be used. {problem.title} {problem.what_to_do}")
    except ValidationError as error:
        return CheckedBranch(version, branch, False, f"cannot be used. {' '.join(error.messages)}")
    return CheckedBranch(version, branch, True, f"is {commit}")
