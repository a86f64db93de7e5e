"""The audit trail of the organization."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, ListQuery
from apps.api.schema import page_of
from apps.audit.models import Event


class EventSerializer(serializers.ModelSerializer):
    """Who did what, to which object, from where, when. Secrets were masked before it was stored."""

    before = serializers.DictField(child=serializers.JSONField())
    after = serializers.DictField(child=serializers.JSONField())

    class Meta:
        model = Event
        fields = (
            "id",
            "created_at",
            "action",
            "actor_id",
            "actor_name",
            "key_id",
            "key_name",
            "viewer_id",
            "viewer_name",
            "ip_address",
            "target_type",
            "target_id",
            "target_name",
            "before",
            "after",
        )
        read_only_fields = fields


class EventQuery(ListQuery):
    """Which events."""

    action = serializers.CharField(max_length=80, required=False, help_text="For example `environment.created`.")
    actor_id = serializers.UUIDField(required=False)
    target_id = serializers.UUIDField(required=False)
    since = serializers.DateTimeField(required=False, help_text="From this moment on.")
    until = serializers.DateTimeField(required=False, help_text="Before this moment.")


class EventListView(ApiView):
    """The organization's events, the newest first."""

    @extend_schema(parameters=[EventQuery], responses=page_of(EventSerializer))
    def get(self, request: Request) -> Response:
        self.require("org.audit.view")
        query = self.read_query(EventQuery)
        rows = Event.objects.filter(organization_id=self.organization.pk).order_by("-created_at", "-pk")
        lookups = {"since": "created_at__gte", "until": "created_at__lt"}
        for name in ("action", "actor_id", "target_id", "since", "until"):
            if name in query:
                rows = rows.filter(**{lookups.get(name, name): query[name]})
        return self.page(rows, EventSerializer, query)


urlpatterns = [path("audit", EventListView.as_view(), name="audit")]
