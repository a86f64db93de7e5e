"""Which tasks lists and streams show. One task alone is asked for by `operations.access`."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.operations.models import Operation
from apps.operations.pipeline import all_pipelines
from apps.orgs.access import has_permission
from apps.orgs.models import Organization


def visible_tasks(user: Any, organization: Organization) -> QuerySet[Operation]:
    """The organization's operations that the person may look at. Those on a project's things are visible with the
    project; of the organization's own, the kinds whose permission is missing are left out."""
    hidden = [
        pipeline.kind
        for pipeline in all_pipelines().values()
        if pipeline.view_code.startswith("org.") and not has_permission(user, pipeline.view_code, organization)
    ]
    return Operation.objects.visible_to(user).in_organization(organization).exclude(kind__in=hidden)
