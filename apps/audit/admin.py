from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.audit.models import Event


@admin.register(Event)
class EventAdmin(ModelAdmin):
    """Read-only: nobody changes the trail, staff included."""

    list_display = ("created_at", "action", "actor_name", "target_type", "target_name", "ip_address")
    list_filter = ("action", "target_type")
    search_fields = ("actor_name", "target_name", "action")
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False
