"""Tenancy in one place: which rows a person may see at all."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.http import Http404

from apps.orgs.scope import Scope, scope_of


class TenantQuerySet(models.QuerySet):
    """Rows that belong to an organization. A model says how to reach it by `organization_path`
    (`"organization"` unless set), a lookup such as `"project__organization"`."""

    def visible_to(self, user: Any) -> Self:
        """The rows of the organizations that the person is a member of; all of them for a portal admin."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        rows = self._within(scope_of(user))
        if user.is_superuser:
            return rows
        path = getattr(self.model, "organization_path", "organization")
        from apps.orgs.models import Membership

        mine = Membership.objects.filter(user_id=user.pk).values("organization_id")
        prefix = "" if path == "" else f"{path}__"
        return rows.filter(**{f"{prefix}pk__in": mine})

    def _within(self, scope: Scope | None) -> Self:
        rows = self
        path = getattr(self.model, "organization_path", "organization")
        if scope is not None and scope.organization_ids is not None:
            rows = rows.filter(**{f"{path}__in" if path else "pk__in": scope.organization_ids})
        project_path = self.project_path
        if scope is not None and scope.project_id is not None and project_path is not None:
            rows = rows.filter(**{project_path: scope.project_id})
        return rows

    @property
    def project_path(self) -> str | None:
        """The lookup from the model to the id of its project; None for a model of the organization's own tier."""
        path = getattr(self.model, "organization_path", "organization")
        inferred = path.removesuffix("__organization") if path.endswith("project__organization") else None
        return getattr(self.model, "project_path", inferred)

    def in_organization(self, organization: models.Model) -> Self:
        """The rows of one organization."""
        path = getattr(self.model, "organization_path", "organization")
        return self.filter(**{path or "pk": organization.pk if path == "" else organization})


def get_visible_or_404(source: type[models.Model] | models.QuerySet, user: Any, **lookup: Any) -> Any:
    """The one row that matches and that the person may see. A stranger's row and a missing one look the same: 404."""
    queryset = source if isinstance(source, models.QuerySet) else source._default_manager.all()
    found = queryset.visible_to(user).filter(**lookup).first()
    if found is None:
        raise Http404
    return found
