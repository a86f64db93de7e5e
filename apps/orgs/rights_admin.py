"""Teams, roles and exceptions for platform staff: by the same services as the portal."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.core.admin_pages import ServiceAdmin
from apps.orgs import custom_roles, overrides, teams
from apps.orgs.models import CustomRole, CustomRoleAssignment, PermissionOverride, Team
from apps.orgs.quota_admin import OfOrganizations


class RightsAdmin(OfOrganizations, ServiceAdmin):
    """What belongs to an organization stays its own."""

    kept: tuple[str, ...] = ("organization",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_manage_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_manage_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_manage_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What a row is about is said once."""
        return self.kept if obj else ()


@admin.register(Team)
class TeamAdmin(RightsAdmin):
    list_display = ("name", "organization", "colour", "created_at")
    search_fields = ("name", "organization__name")
    autocomplete_fields = ("organization",)
    list_select_related = ("organization",)

    def create(self, request: HttpRequest, obj: Team, form: Any) -> Team:
        """A team without members."""
        return teams.create_team(actor=request.user, **form.cleaned_data)

    def change(self, request: HttpRequest, obj: Team, form: Any) -> Team:
        """Name, description, colour."""
        return teams.update_team(
            team=obj, name=obj.name, description=obj.description, colour=obj.colour, actor=request.user
        )

    def remove(self, request: HttpRequest, obj: Team) -> None:
        """With its roles."""
        teams.delete_team(team=obj, actor=request.user)


@admin.register(CustomRole)
class CustomRoleAdmin(RightsAdmin):
    list_display = ("name", "organization", "created_at")
    search_fields = ("name", "organization__name")
    autocomplete_fields = ("organization",)
    list_select_related = ("organization",)

    def create(self, request: HttpRequest, obj: CustomRole, form: Any) -> CustomRole:
        """A role of the organization's own."""
        return custom_roles.create_role(actor=request.user, **form.cleaned_data)

    def change(self, request: HttpRequest, obj: CustomRole, form: Any) -> CustomRole:
        """For everybody who has it, at once."""
        return custom_roles.update_role(
            role=obj, name=obj.name, description=obj.description, codes=obj.codes, actor=request.user
        )

    def remove(self, request: HttpRequest, obj: CustomRole) -> None:
        """From everybody."""
        custom_roles.delete_role(role=obj, actor=request.user)


@admin.register(CustomRoleAssignment)
class CustomRoleAssignmentAdmin(RightsAdmin):
    list_display = ("role", "user", "on_project", "created_at")
    search_fields = ("role__name", "user__email")
    autocomplete_fields = ("role", "user")
    list_select_related = ("role", "user")
    kept = ("role", "user", "on_project")

    def create(self, request: HttpRequest, obj: CustomRoleAssignment, form: Any) -> CustomRoleAssignment:
        """Gives the role."""
        return custom_roles.give_role(role=obj.role, user=obj.user, project_id=obj.on_project, actor=request.user)

    def change(self, request: HttpRequest, obj: CustomRoleAssignment, form: Any) -> CustomRoleAssignment:
        """There is nothing to change: take one, give another."""
        return obj

    def remove(self, request: HttpRequest, obj: CustomRoleAssignment) -> None:
        """Takes the role."""
        custom_roles.take_role(assignment=obj, actor=request.user)


@admin.register(PermissionOverride)
class PermissionOverrideAdmin(RightsAdmin):
    list_display = ("user", "organization", "code", "effect", "on_project", "expires_at")
    list_filter = ("effect",)
    search_fields = ("user__email", "organization__name", "code")
    autocomplete_fields = ("organization", "user")
    list_select_related = ("organization", "user")
    fields = ("organization", "user", "code", "on_project", "effect", "expires_at", "reason")
    kept = ("organization", "user", "code", "on_project")

    def create(self, request: HttpRequest, obj: PermissionOverride, form: Any) -> PermissionOverride:
        """Gives or takes one code."""
        return self._set(request, obj)

    def change(self, request: HttpRequest, obj: PermissionOverride, form: Any) -> PermissionOverride:
        """Another effect, end or reason."""
        return self._set(request, obj)

    def remove(self, request: HttpRequest, obj: PermissionOverride) -> None:
        """Ends the exception."""
        overrides.remove_override(override=obj, actor=request.user)

    def _set(self, request: HttpRequest, obj: PermissionOverride) -> PermissionOverride:
        return overrides.set_override(
            organization=obj.organization,
            user=obj.user,
            code=obj.code,
            effect=obj.effect,
            project_id=obj.on_project,
            expires_at=obj.expires_at,
            reason=obj.reason,
            actor=request.user,
        )
