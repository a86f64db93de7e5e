"""Operations for platform staff: everything to be seen, nothing to be edited; the actions call the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from apps.core.exceptions import Problem
from apps.operations import bell, services
from apps.operations.models import LogLine, LogPosition, Operation, OperationStep


class ReadOnly:
    """Nobody adds, changes or deletes here; the engine does."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StepInline(ReadOnly, TabularInline):
    model = OperationStep
    extra = 0
    fields = ("position", "name", "status", "started_at", "finished_at", "attempt", "error", "undo_status")
    readonly_fields = fields
    ordering = ("position",)


@admin.register(Operation)
class OperationAdmin(ReadOnly, ModelAdmin):
    list_display = (
        "title",
        "kind",
        "status",
        "outcome",
        "organization",
        "created_at",
        "finished_at",
        "needs_attention",
    )
    list_filter = ("status", "needs_attention", "kind", "trigger")
    search_fields = ("=id", "title", "=subject_id", "lock_key", "organization__name")
    list_select_related = ("organization",)
    date_hierarchy = "created_at"
    inlines = (StepInline,)
    actions = ("cancel_selected", "retry_selected", "ring_selected", "mark_as_seen")

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    @admin.action(description="Cancel", permissions=["act"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Operation]) -> None:
        self._each(request, queryset, lambda operation: services.cancel(operation=operation, user=request.user))

    @admin.action(description="Try again (a new operation)", permissions=["act"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Operation]) -> None:
        self._each(request, queryset, lambda operation: services.retry(operation=operation, user=request.user))

    @admin.action(description="Ring a worker", permissions=["act"])
    def ring_selected(self, request: HttpRequest, queryset: QuerySet[Operation]) -> None:
        self._each(request, queryset, lambda operation: bell.ring(operation.pk))

    @admin.action(description="Mark as attended to", permissions=["act"])
    def mark_as_seen(self, request: HttpRequest, queryset: QuerySet[Operation]) -> None:
        self._each(request, queryset, lambda operation: services.mark_as_seen(operation=operation, user=request.user))

    def _each(self, request: HttpRequest, queryset: QuerySet[Operation], act: Callable[[Operation], Any]) -> None:
        for operation in queryset:
            try:
                act(operation)
            except Problem as problem:
                self.message_user(request, f"{problem.title} {problem.what_to_do}", messages.ERROR)
            else:
                self.message_user(request, f"{operation.title}: done.", messages.SUCCESS)


@admin.register(OperationStep)
class OperationStepAdmin(ReadOnly, ModelAdmin):
    list_display = ("operation", "position", "title", "status", "started_at", "finished_at", "attempt", "undo_status")
    list_filter = ("status", "undo_status", "name")
    search_fields = ("=operation__id", "name", "error")
    list_select_related = ("operation",)
    show_full_result_count = False


@admin.register(LogLine)
class LogLineAdmin(ReadOnly, ModelAdmin):
    list_display = ("operation", "sequence", "created_at", "level", "text")
    list_filter = ("level",)
    search_fields = ("=operation__id",)
    list_select_related = ("operation",)
    # Counting millions of lines would take longer than looking at them.
    show_full_result_count = False


@admin.register(LogPosition)
class LogPositionAdmin(ReadOnly, ModelAdmin):
    list_display = ("operation", "source", "updated_at")
    search_fields = ("=operation__id", "source")
    list_select_related = ("operation",)
    show_full_result_count = False
