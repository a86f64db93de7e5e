"""Which tasks and environments lists and streams show: those that the person could also open one by one. One task
alone is asked for by `operations.access`."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Q, QuerySet

from apps.environments.models import Environment
from apps.operations.models import Operation
from apps.operations.pipeline import all_pipelines
from apps.orgs.access import codes_for, rights_in
from apps.orgs.models import Organization
from apps.projects.models import Project

VIEW_ENVIRONMENTS = "project.environments.view"


def visible_tasks(user: Any, organization: Organization) -> QuerySet[Operation]:
    """The organization's operations that the person may look at: of each kind those on projects, or on the
    organization itself, where the person has the permission that looking at the kind asks."""
    kinds: dict[str, list[str]] = {}
    for pipeline in all_pipelines().values():
        kinds.setdefault(pipeline.view_code, []).append(pipeline.kind)
    rows = Operation.objects.visible_to(user).in_organization(organization)
    for code, those in kinds.items():
        readable = _readable(user, organization, code)
        if readable is not None:
            rows = rows.filter(~Q(kind__in=those) | readable)
    return rows


def visible_environments(rows: QuerySet[Environment], user: Any, organization: Organization) -> QuerySet[Environment]:
    """The organization's environments (of `rows`) that the person may look at."""
    rows = rows.visible_to(user).in_organization(organization)
    readable = _readable(user, organization, VIEW_ENVIRONMENTS)
    return rows if readable is None else rows.filter(readable)


def _readable(user: Any, organization: Organization, code: str) -> Q | None:
    """The condition, for visible rows with a `project_id`, that the person has the code on them; None where it is
    true of all."""
    everywhere = code in codes_for(user, organization.pk)
    if everywhere and not any(grant.denies for grant in rights_in(user, organization.pk).grants):
        return None
    having = [one for one in visible_project_ids(user, organization) if code in codes_for(user, organization.pk, one)]
    condition = Q(project_id__in=having)
    return condition | Q(project_id=None) if everywhere else condition


def visible_project_ids(user: Any, organization: Organization) -> list[uuid.UUID]:
    """The visible projects; kept on the user object, so for one request or look."""
    kept = user.__dict__.setdefault("_visible_projects", {})
    if organization.pk not in kept:
        rows = Project.objects.visible_to(user).in_organization(organization)
        kept[organization.pk] = list(rows.order_by().values_list("pk", flat=True))
    return kept[organization.pk]
