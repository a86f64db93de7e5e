"""Quotas: what the organization may allocate, what it has, and asking for more."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery
from apps.api.schema import page_of
from apps.environments.quotas import allocated
from apps.orgs import quota_requests
from apps.orgs.models import QuotaRequest
from apps.orgs.quotas import OF_ONE_ENVIRONMENT, RESOURCES, quota_of
from apps.servers.models import Server

VIEW, MANAGE = "org.quotas.view", "org.quotas.manage"


class ResourceSerializer(serializers.Serializer):
    """One resource: CPU in cores, memory and disk in MB, environments and servers in numbers."""

    name = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    limit = serializers.FloatField(allow_null=True, help_text="null: unlimited.")
    allocated = serializers.FloatField()
    limit_per_environment = serializers.FloatField(allow_null=True)


class QuotasSerializer(serializers.Serializer):
    """All resources."""

    resources = ResourceSerializer(many=True)


class QuotaRequestSerializer(serializers.ModelSerializer):
    """A request for other totals; a resource that is null stays as it is."""

    cpu = serializers.FloatField(allow_null=True)
    asked_by = serializers.SerializerMethodField()

    class Meta:
        model = QuotaRequest
        fields = (
            "id",
            "cpu",
            "memory_megabytes",
            "disk_megabytes",
            "environments",
            "servers",
            "reason",
            "asked_by",
            "status",
            "answer",
            "created_at",
            "answered_at",
        )
        read_only_fields = fields

    def get_asked_by(self, request: QuotaRequest) -> str:
        return str(request.asked_by or "")


class NewQuotaRequest(Body):
    """The totals that there should be, and why."""

    cpu = serializers.DecimalField(8, 2, min_value=0, coerce_to_string=False, required=False)
    memory_megabytes = serializers.IntegerField(min_value=0, max_value=2**50, required=False)
    disk_megabytes = serializers.IntegerField(min_value=0, max_value=2**50, required=False)
    environments = serializers.IntegerField(min_value=0, max_value=1_000_000, required=False)
    servers = serializers.IntegerField(min_value=0, max_value=1_000_000, required=False)
    reason = serializers.CharField(max_length=1000)


class QuotasView(ApiView):
    """Limits, and what is allocated of them."""

    @extend_schema(responses=QuotasSerializer)
    def get(self, request: Request) -> Response:
        self.require(VIEW)
        quota, used = quota_of(self.organization), allocated(self.organization)
        servers = Server.objects.visible_to(request.user).in_organization(self.organization).count()
        rows: list[dict[str, Any]] = [
            {
                "name": one.field,
                "unit": one.unit,
                "limit": getattr(quota, one.field),
                "allocated": servers if one.field == "servers" else used.of(one),
                "limit_per_environment": getattr(quota, f"environment_{one.field}")
                if one in OF_ONE_ENVIRONMENT
                else None,
            }
            for one in RESOURCES
        ]
        return self.answer(QuotasSerializer, {"resources": rows})


class QuotaRequestListView(ApiView):
    """What was asked for, the newest first."""

    @extend_schema(parameters=[ListQuery], responses=page_of(QuotaRequestSerializer))
    def get(self, request: Request) -> Response:
        self.require(VIEW)
        rows = QuotaRequest.objects.visible_to(request.user).select_related("asked_by").order_by("-created_at", "-pk")
        return self.page(rows, QuotaRequestSerializer, self.read_query(ListQuery))

    @extend_schema(request=NewQuotaRequest, responses={201: QuotaRequestSerializer})
    def post(self, request: Request) -> Response:
        """Asks platform staff for other totals. One request waits at a time."""
        self.require(VIEW)
        wanted = self.read_body(NewQuotaRequest)
        asked = quota_requests.ask(organization=self.organization, actor=request.user, **wanted)
        return self.answer(QuotaRequestSerializer, asked, status=201)


class QuotaRequestView(ApiView):
    """One request."""

    @extend_schema(responses=QuotaRequestSerializer)
    def get(self, request: Request, request_id: uuid.UUID) -> Response:
        rows = QuotaRequest.objects.select_related("asked_by")
        return self.answer(QuotaRequestSerializer, self.find(rows, VIEW, pk=request_id))


urlpatterns = [
    path("quotas", QuotasView.as_view(), name="quotas"),
    path("quota-requests", QuotaRequestListView.as_view(), name="quota_requests"),
    path("quota-requests/<uuid:request_id>", QuotaRequestView.as_view(), name="quota_request"),
]
