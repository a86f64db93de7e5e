"""Outgoing webhooks, and what was delivered to them. Addresses and secrets are written, and not read."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import limits
from apps.api.base import ApiView, Body, ListQuery, VisibleField
from apps.api.schema import page_of
from apps.notifications import services
from apps.notifications.models import Delivery, Format, OutboxStatus, Webhook
from apps.notifications.models.webhook import MOST_EVENTS
from apps.notifications.reach import ensure_reached, reached
from apps.projects.models import Project

MANAGE = "org.webhooks.manage"


class WebhookSerializer(serializers.ModelSerializer):
    """A webhook. Of its address only the host is shown: whoever has the whole may write there."""

    project_id = serializers.UUIDField(allow_null=True)
    host = serializers.CharField(help_text="Empty where the stored address cannot be decrypted any more.")
    problem = serializers.CharField(help_text="What keeps it from being called, and what to do; empty else.")
    events = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()

    class Meta:
        model = Webhook
        fields = (
            "id",
            "name",
            "host",
            "format",
            "events",
            "project_id",
            "is_active",
            "paused_at",
            "pause_reason",
            "problem",
            "failure_count",
            "last_triggered_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class WebhookWithSecret(WebhookSerializer):
    """A webhook with the secret that its deliveries are signed with: in this answer and nowhere else."""

    secret = serializers.CharField()

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")
        read_only_fields = fields


class WebhookSettings(Body):
    """What a person chooses of a webhook."""

    name = serializers.CharField(max_length=80)
    url = serializers.CharField(max_length=2000, write_only=True, help_text="HTTPS, at a public address.")
    events = serializers.ListField(
        child=serializers.CharField(max_length=60), min_length=1, max_length=MOST_EVENTS, help_text="Kinds of events."
    )
    format = serializers.ChoiceField(Format.choices, required=False)
    project_id = VisibleField(Project, allow_null=True, required=False, help_text="null: the whole organization.")

    def values(self, data: dict[str, Any]) -> dict[str, Any]:
        """With the names of our models."""
        return {"project" if name == "project_id" else name: value for name, value in data.items()}


class DeliverySerializer(serializers.ModelSerializer):
    """One event for one webhook. Its id is the `webhook-id` of every attempt."""

    event = serializers.CharField(source="event.kind")
    status = serializers.ChoiceField(OutboxStatus.choices)

    class Meta:
        model = Delivery
        fields = ("id", "event", "status", "tries", "error", "next_attempt_at", "created_at", "finished_at")
        read_only_fields = fields


class WebhookViewBase(ApiView):
    """Changes are counted a second time: they make the platform call others."""

    def initial(self, request: Request, *arguments: Any, **details: Any) -> None:
        super().initial(request, *arguments, **details)
        if request.method in ("POST", "PATCH", "DELETE"):
            self.allowance = limits.take_webhook_change(request.auth.pk, request.auth.created_by_id)

    def found(self, webhook_id: uuid.UUID) -> Webhook:
        """The webhook; 404 and 403 as everywhere."""
        found = self.find(Webhook.objects.select_related("organization", "project"), MANAGE, pk=webhook_id)
        ensure_reached(self.request.user, found.organization, found.project)
        return found


class WebhookListView(WebhookViewBase):
    """The organization's webhooks."""

    @extend_schema(parameters=[ListQuery], responses=page_of(WebhookSerializer))
    def get(self, request: Request) -> Response:
        self.require(MANAGE)
        rows = reached(Webhook.objects.visible_to(request.user), request.user, self.organization).order_by("name", "pk")
        return self.page(rows, WebhookSerializer, self.read_query(ListQuery))

    @extend_schema(request=WebhookSettings, responses={201: WebhookWithSecret})
    def post(self, request: Request) -> Response:
        self.require(MANAGE)
        wanted = WebhookSettings().values(self.read_body(WebhookSettings))
        made, _secret = services.create_webhook(organization=self.organization, actor=request.user, **wanted)
        return self.answer(WebhookWithSecret, made, status=201)


class WebhookView(WebhookViewBase):
    """One webhook."""

    @extend_schema(responses=WebhookSerializer)
    def get(self, request: Request, webhook_id: uuid.UUID) -> Response:
        return self.answer(WebhookSerializer, self.found(webhook_id))

    @extend_schema(request=WebhookSettings, responses=WebhookSerializer)
    def patch(self, request: Request, webhook_id: uuid.UUID) -> Response:
        found = self.found(webhook_id)
        changes = WebhookSettings().values(self.read_body(WebhookSettings, partial=True))
        return self.answer(WebhookSerializer, services.update_webhook(webhook=found, actor=request.user, **changes))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, webhook_id: uuid.UUID) -> Response:
        """What waits is not sent any more."""
        services.delete_webhook(webhook=self.found(webhook_id), actor=request.user)
        return Response(status=204)


class WebhookPauseView(WebhookViewBase):
    """Stops it; what waits is cancelled."""

    @extend_schema(request=None, responses=WebhookSerializer)
    def post(self, request: Request, webhook_id: uuid.UUID) -> Response:
        return self.answer(
            WebhookSerializer, services.pause_webhook(webhook=self.found(webhook_id), actor=request.user)
        )


class WebhookResumeView(WebhookViewBase):
    """Lets it go on, with a clean count of failures."""

    @extend_schema(request=None, responses=WebhookSerializer)
    def post(self, request: Request, webhook_id: uuid.UUID) -> Response:
        return self.answer(
            WebhookSerializer, services.resume_webhook(webhook=self.found(webhook_id), actor=request.user)
        )


class WebhookSecretView(WebhookViewBase):
    """A new secret; the one from before signs as well for 24 hours."""

    @extend_schema(request=None, responses=WebhookWithSecret)
    def post(self, request: Request, webhook_id: uuid.UUID) -> Response:
        found = self.found(webhook_id)
        services.rotate_secret(webhook=found, actor=request.user)
        return self.answer(WebhookWithSecret, self.found(webhook_id))


class WebhookTestView(WebhookViewBase):
    """Queues a delivery of the kind `webhook.test`."""

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def post(self, request: Request, webhook_id: uuid.UUID) -> Response:
        delivery = services.send_test(webhook=self.found(webhook_id), actor=request.user)
        return self.answer(DeliverySerializer, delivery, status=202)


class DeliveryListView(WebhookViewBase):
    """What was sent, or waits to be, the newest first."""

    @extend_schema(parameters=[ListQuery], responses=page_of(DeliverySerializer))
    def get(self, request: Request, webhook_id: uuid.UUID) -> Response:
        rows = Delivery.objects.filter(webhook=self.found(webhook_id)).select_related("event")
        return self.page(rows.order_by("-created_at", "-pk"), DeliverySerializer, self.read_query(ListQuery))


class DeliveryResendView(WebhookViewBase):
    """Sends one that has ended again, under the same id."""

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def post(self, request: Request, webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> Response:
        rows = Delivery.objects.filter(webhook=self.found(webhook_id)).select_related("event", "webhook__organization")
        sent = services.resend(delivery=self.find(rows, MANAGE, pk=delivery_id), actor=request.user)
        return self.answer(DeliverySerializer, sent, status=202)


_WEBHOOK = "webhooks/<uuid:webhook_id>"
urlpatterns = [
    path("webhooks", WebhookListView.as_view(), name="webhooks"),
    path(_WEBHOOK, WebhookView.as_view(), name="webhook"),
    path(f"{_WEBHOOK}/pause", WebhookPauseView.as_view(), name="webhook_pause"),
    path(f"{_WEBHOOK}/resume", WebhookResumeView.as_view(), name="webhook_resume"),
    path(f"{_WEBHOOK}/secret", WebhookSecretView.as_view(), name="webhook_secret"),
    path(f"{_WEBHOOK}/test", WebhookTestView.as_view(), name="webhook_test"),
    path(f"{_WEBHOOK}/deliveries", DeliveryListView.as_view(), name="webhook_deliveries"),
    path(
        f"{_WEBHOOK}/deliveries/<uuid:delivery_id>/resend", DeliveryResendView.as_view(), name="webhook_delivery_resend"
    ),
]
