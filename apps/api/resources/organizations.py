"""The key's organization."""

from __future__ import annotations

import uuid

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery
from apps.api.schema import page_of
from apps.orgs import profile
from apps.orgs.models import Organization


class OrganizationSerializer(serializers.ModelSerializer):
    """An organization: the boundary of tenancy."""

    class Meta:
        model = Organization
        fields = ("id", "name", "slug", "created_at", "updated_at")
        read_only_fields = fields


class OrganizationSettings(Body):
    """What may change."""

    name = serializers.CharField(max_length=100)


class OrganizationListView(ApiView):
    """A list of one: a key belongs to one organization."""

    @extend_schema(parameters=[ListQuery], responses=page_of(OrganizationSerializer))
    def get(self, request: Request) -> Response:
        self.require("org.view")
        rows = Organization.objects.visible_to(request.user).order_by("name", "pk")
        return self.page(rows, OrganizationSerializer, self.read_query(ListQuery))


class OrganizationView(ApiView):
    """One organization."""

    @extend_schema(responses=OrganizationSerializer)
    def get(self, request: Request, organization_id: uuid.UUID) -> Response:
        return self.answer(OrganizationSerializer, self.find(Organization, "org.view", pk=organization_id))

    @extend_schema(request=OrganizationSettings, responses=OrganizationSerializer)
    def patch(self, request: Request, organization_id: uuid.UUID) -> Response:
        found = self.find(Organization, "org.update", pk=organization_id)
        changes = self.read_body(OrganizationSettings)
        changed = profile.update_organization(organization=found, actor=request.user, **changes)
        return self.answer(OrganizationSerializer, changed)


urlpatterns = [
    path("organizations", OrganizationListView.as_view(), name="organizations"),
    path("organizations/<uuid:organization_id>", OrganizationView.as_view(), name="organization"),
]
