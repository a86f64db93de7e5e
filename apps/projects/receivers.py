"""Roles on projects come with an invitation, and go with the project and with the membership."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField
from django.db.models.functions import Cast
from django.db.models.signals import post_delete
from django.dispatch import receiver

from apps.orgs import project_roles
from apps.orgs.models import Membership
from apps.orgs.roles import ProjectRole
from apps.orgs.signals import invitation_accepted
from apps.projects.models import Project


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
