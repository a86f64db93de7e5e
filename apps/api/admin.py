"""The Django admin for API keys: who has which; the keys themselves are not there to be seen."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.api import keys
from apps.api.models import ApiKey, IdempotentAnswer


class _ReadOnly(ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(_ReadOnly):
    list_display = ("name", "organization", "project", "kind", "hint", "created_by", "status", "last_used_at")
    list_filter = ("kind",)
    list_select_related = ("organization", "project", "created_by")
    search_fields = ("name", "organization__name", "created_by__email", "last_four")
    actions = ("revoke",)
    exclude = ("digest",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("portal.organizations.manage")

    @admin.action(description="Revoke the chosen keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """By the service, so that it is in the audit trail."""
        for key in queryset:
            keys.revoke_key(key=key, actor=request.user)
        self.message_user(request, f"{len(queryset)} keys are revoked.")


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(_ReadOnly):
    list_display = ("idempotency_key", "api_key", "status_code", "created_at")
    list_select_related = ("api_key",)
    exclude = ("body",)
