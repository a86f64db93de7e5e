from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from unfold.admin import ModelAdmin

from apps.audit import services
from apps.audit.export import csv_response
from apps.audit.models import Event

CODE = "portal.audit.view"


@admin.register(Event)
class EventAdmin(ModelAdmin):
    """Read-only: nobody changes the trail, staff included."""

    list_display = (
        "created_at",
        "action",
        "actor_name",
        "viewer_name",
        "target_type",
        "target_name",
        "organization_id",
        "ip_address",
    )
    list_filter = ("action", "target_type")
    search_fields = ("actor_name", "target_name", "action", "=organization_id", "=actor_id", "=target_id")
    date_hierarchy = "created_at"
    show_full_result_count = False
    actions = ("export",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CODE)

    def has_view_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return request.user.has_perm(CODE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    @admin.action(description="Export as CSV", permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Event]) -> HttpResponseBase:
        """What is selected; with "select all" everything that the filters and the search leave."""
        services.record(action="audit.exported", actor=request.user)
        return csv_response(request, queryset, name="audit")
