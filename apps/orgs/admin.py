"""Organizations and their members for platform staff: by the same services as the portal."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from unfold.admin import TabularInline

from apps.core.admin_pages import ServiceAdmin
from apps.orgs import members, profile, quota_admin, rights_admin, services  # noqa: F401  (register their pages)
from apps.orgs.models import Membership, Organization


class MembershipInline(TabularInline):
    """Who belongs to it; changed on the member's own page."""

    model = Membership
    extra = 0
    fields = ("user", "role", "created_at")
    readonly_fields = fields
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Organization)
class OrganizationAdmin(ServiceAdmin):
    """An organization is made by the person who owns it, and deleted by its Owner after days of grace."""

    list_display = ("name", "slug", "require_second_factor", "audit_retention_days", "delete_after", "created_at")
    search_fields = ("name", "slug", "=id")
    fields = (*profile.FIELDS, "delete_after", "created_at", "updated_at")
    readonly_fields = ("delete_after", "created_at", "updated_at")
    inlines = (MembershipInline,)
    actions = ("ask_for_access",)

    @admin.action(description="Ask to come in, or come in for an emergency", permissions=["view"])
    def ask_for_access(self, request: HttpRequest, queryset: QuerySet[Organization]) -> HttpResponse | None:
        """Leads to the page that asks for the reason."""
        organization = queryset.first()
        if queryset.count() != 1 or organization is None:
            self.message_user(request, "Choose one organization.", messages.ERROR)
            return None
        return redirect(f"{reverse('admin:orgs_supportaccess_add')}?{urlencode({'slug': organization.slug})}")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("portal.organizations.view")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("portal.organizations.manage")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change(self, request: HttpRequest, obj: Organization, form: Any) -> Organization:
        """Name, short name, looks and rules."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data if name in profile.FIELDS}
        return profile.update_organization(organization=obj, actor=request.user, **changes)


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin):
    """There is exactly one Owner, and nobody becomes it here: ownership is transferred by the Owner."""

    list_display = ("organization", "user", "role", "created_at")
    list_filter = ("role",)
    search_fields = ("organization__name", "user__email")
    autocomplete_fields = ("organization", "user")
    list_select_related = ("organization", "user")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A membership stays that of this person in this organization."""
        return ("organization", "user") if obj else ()

    def create(self, request: HttpRequest, obj: Membership, form: Any) -> Membership:
        """Makes the person a member."""
        return services.add_member(
            organization=obj.organization, user=obj.user, role=form.cleaned_data["role"], actor=request.user
        )

    def change(self, request: HttpRequest, obj: Membership, form: Any) -> Membership:
        """Another role."""
        stored = Membership.objects.select_related("organization", "user").get(pk=obj.pk)
        return members.change_role(membership=stored, role=form.cleaned_data["role"], actor=request.user)

    def remove(self, request: HttpRequest, obj: Membership) -> None:
        """Out of the organization, with all that the person had in it."""
        members.remove_member(membership=obj, actor=request.user)
