"""Tenancy in one place: which rows a person may see at all."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.http import Http404

from apps.orgs.paths import organization_path_of


class TenantQuerySet(models.QuerySet):
    """Rows that belong to an organization. A model says how to reach it by `organization_path`
    (`"organization"` unless set), a lookup such as `"project__organization"`. One whose path leads through a project
    belongs to that project; another that does sets `project_path`, the lookup to the project's id."""

    def visible_to(self, user: Any) -> Self:
        """The rows that exist for the person, in one query: those of their organizations, and of these the projects
        that they reach (Owner, Admin and Viewer all of them, a Developer those where they or a team of theirs have a
        role). Platform staff see an organization only while it is open to them."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        from apps.orgs.visibility import condition_for

        return self.filter(condition_for(self.model, user))

    def in_organization(self, organization: models.Model) -> Self:
        """The rows of one organization."""
        path = organization_path_of(self.model)
        return self.filter(**{path or "pk": organization.pk if path == "" else organization})


def get_visible_or_404(source: type[models.Model] | models.QuerySet, user: Any, **lookup: Any) -> Any:
    """The one row that matches and that the person may see. A stranger's row and a missing one look the same: 404."""
    queryset = source if isinstance(source, models.QuerySet) else source._default_manager.all()
    found = queryset.visible_to(user).filter(**lookup).first()
    if found is None:
        raise Http404
    return found
