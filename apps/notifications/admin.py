"""Events and what became of them, for platform staff: to be seen, not to be edited; the actions call the services.
Addresses and secrets of webhooks are not shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from apps.core.exceptions import Problem
from apps.notifications import services
from apps.notifications.models import Delivery, DeliveryAttempt, Event, Mail, Notice, Preference, Webhook


class ReadOnly:
    """The services write here, nobody else."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Asked for the actions."""
        return request.user.is_active and request.user.is_superuser


@admin.register(Webhook)
class WebhookAdmin(ReadOnly, ModelAdmin):
    list_display = ("name", "organization", "host", "format", "failure_count", "paused_at", "last_triggered_at")
    list_filter = ("format", ("paused_at", admin.EmptyFieldListFilter))
    search_fields = ("=id", "name", "organization__name")
    list_select_related = ("organization",)
    exclude = ("url", "secret", "previous_secret")
    readonly_fields = ("host",)
    actions = ("pause_selected", "resume_selected")

    @admin.action(description="Pause", permissions=["act"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            services.pause_webhook(webhook=webhook, actor=request.user, reason="Paused by platform staff.")
        messages.success(request, f"{len(queryset)} paused.")

    @admin.action(description="Resume", permissions=["act"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            try:
                services.resume_webhook(webhook=webhook, actor=request.user)
            except Problem as problem:
                messages.error(request, f"{problem.title} {problem.what_to_do}")
            else:
                messages.success(request, f"{webhook} is resumed.")


class AttemptInline(ReadOnly, TabularInline):
    model = DeliveryAttempt
    extra = 0
    fields = ("number", "started_at", "duration_milliseconds", "response_status", "error")
    readonly_fields = fields


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, ModelAdmin):
    list_display = ("event", "webhook", "status", "attempt_count", "next_attempt_at", "created_at")
    list_filter = ("status",)
    search_fields = ("=id", "=event__id", "webhook__name", "webhook__organization__name")
    list_select_related = ("event", "webhook")
    exclude = ("lease_token",)
    inlines = (AttemptInline,)
    actions = ("resend_selected",)

    @admin.action(description="Send again", permissions=["act"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        for delivery in queryset.select_related("webhook__organization"):
            try:
                services.resend(delivery=delivery, actor=request.user)
            except Problem as problem:
                messages.error(request, f"{delivery}: {problem.title} {problem.what_to_do}")
            else:
                messages.success(request, f"{delivery} is sent again.")


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(ReadOnly, ModelAdmin):
    list_display = ("delivery", "number", "started_at", "duration_milliseconds", "response_status", "error")
    list_select_related = ("delivery__event", "delivery__webhook")
    search_fields = ("=delivery__id",)


@admin.register(Event)
class EventAdmin(ReadOnly, ModelAdmin):
    list_display = ("title", "kind", "organization", "happened_at", "dispatched_at")
    list_filter = ("kind",)
    search_fields = ("=id", "title", "key", "organization__name")
    list_select_related = ("organization",)
    date_hierarchy = "happened_at"


@admin.register(Mail)
class MailAdmin(ReadOnly, ModelAdmin):
    list_display = ("event", "user", "status", "attempt_count", "next_attempt_at", "error")
    list_filter = ("status",)
    search_fields = ("=id", "=event__id", "user__email")
    list_select_related = ("event", "user")
    exclude = ("lease_token",)


@admin.register(Notice)
class NoticeAdmin(ReadOnly, ModelAdmin):
    list_display = ("event", "user", "read_at", "created_at")
    search_fields = ("=event__id", "user__email")
    list_select_related = ("event", "user")


@admin.register(Preference)
class PreferenceAdmin(ReadOnly, ModelAdmin):
    list_display = ("user", "kind", "channel", "is_wanted", "organization", "project")
    list_filter = ("channel", "kind")
    search_fields = ("user__email",)
    list_select_related = ("user", "organization", "project")
