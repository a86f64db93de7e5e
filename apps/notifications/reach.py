"""A webhook tells about projects: nobody learns by one what they do not see themselves."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.core.exceptions import Problem
from apps.notifications.models import Webhook
from apps.orgs.access import codes_for
from apps.orgs.authority import reaches_everything
from apps.orgs.models import Organization
from apps.projects.models import Project


def ensure_reached(actor: User, organization: Organization, project: Project | None) -> None:
    """Raises Problem `notifications.beyond_own_projects` unless the person sees what a webhook about this is told: the
    project, or (None) every one of the organization."""
    if project is None:
        is_reached = reaches_everything(actor, organization.pk)
    else:
        is_reached = "project.view" in codes_for(actor, project.organization_id, project.pk)
    if not is_reached:
        raise Problem("notifications.beyond_own_projects")


def reached(rows: QuerySet[Webhook], person: User, organization: Organization) -> QuerySet[Webhook]:
    """Of the organization's webhooks those that tell the person nothing new."""
    if reaches_everything(person, organization.pk):
        return rows
    return rows.filter(project__in=Project.objects.visible_to(person).order_by())
