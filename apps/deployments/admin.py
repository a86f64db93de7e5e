"""Deployments for platform staff: everything to be seen, nothing to be edited; the actions call the services."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.core.exceptions import Problem
from apps.deployments import services
from apps.deployments.models import Deployment, ImageFacts, Release, Seed, SourceSnapshot
from apps.operations.admin import ReadOnly


@admin.register(Deployment)
class DeploymentAdmin(ReadOnly, ModelAdmin):
    list_display = ("environment", "number", "status", "trigger", "triggered_by", "commit", "created_at")
    list_filter = ("trigger", "operation__status", "is_first", "seeded")
    search_fields = ("=id", "=environment__id", "environment__name", "environment__host_name", "commit")
    list_select_related = ("environment__project", "operation", "triggered_by")
    date_hierarchy = "created_at"
    actions = ("retry_selected", "cancel_selected")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deployment]:
        return super().get_queryset(request).prefetch_related("operation__steps")

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    @admin.display(description="Status")
    def status(self, deployment: Deployment) -> str:
        return deployment.status_label

    @admin.action(description="Retry (failed ones only)", permissions=["act"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Deployment]) -> None:
        for deployment in queryset:
            try:
                made = services.retry(deployment=deployment, user=request.user)
            except Problem as problem:
                self.message_user(request, f"{deployment}: {problem.title} {problem.what_to_do}", messages.ERROR)
            else:
                self.message_user(request, f"{made} of {made.environment} is queued.", messages.SUCCESS)

    @admin.action(description="Cancel", permissions=["act"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Deployment]) -> None:
        for deployment in queryset:
            try:
                services.cancel(deployment=deployment, user=request.user)
            except Problem as problem:
                self.message_user(request, f"{deployment}: {problem.title} {problem.what_to_do}", messages.ERROR)
            else:
                self.message_user(request, f"{deployment}: asked to stop.", messages.SUCCESS)


@admin.register(Release)
class ReleaseAdmin(ReadOnly, ModelAdmin):
    list_display = ("environment", "number", "odoo_version", "image", "image_digest", "applied_at", "created_at")
    list_filter = ("odoo_version",)
    search_fields = ("=id", "=environment__id", "environment__name", "image_digest")
    list_select_related = ("environment",)


@admin.register(Seed)
class SeedAdmin(ReadOnly, ModelAdmin):
    list_display = (
        "server",
        "key",
        "status",
        "odoo_version",
        "language",
        "size_megabytes",
        "last_used_at",
        "created_at",
    )
    list_filter = ("status", "odoo_version")
    search_fields = ("key", "server__name")
    list_select_related = ("server",)


@admin.register(SourceSnapshot)
class SourceSnapshotAdmin(ReadOnly, ModelAdmin):
    list_display = ("repository", "platform_repository", "commit", "subdirectory", "created_at")
    search_fields = ("commit", "repository__name", "platform_repository__name")
    list_select_related = ("repository", "platform_repository")


@admin.register(ImageFacts)
class ImageFactsAdmin(ReadOnly, ModelAdmin):
    list_display = ("image_id", "server", "uid", "gid", "created_at")
    search_fields = ("image_id", "server__name")
    list_select_related = ("server",)
