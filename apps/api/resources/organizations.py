"""The key's organization: what it says about itself, who owns it, and its end."""

from __future__ import annotations

import uuid

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery, VisibleField
from apps.api.resources.members import MemberSerializer
from apps.api.schema import page_of
from apps.orgs import leaving, members, profile
from apps.orgs.models import Membership, Organization


class OrganizationSerializer(serializers.ModelSerializer):
    """An organization: the boundary of tenancy."""

    class Meta:
        model = Organization
        fields = (
            "id",
            "name",
            "slug",
            "colour",
            "require_second_factor",
            "audit_retention_days",
            "delete_after",
            "created_at",
            "updated_at",
        )
        extra_kwargs = {
            "delete_after": {"allow_null": True, "help_text": "When it is deleted; null: nobody wished for that."}
        }
        read_only_fields = fields


class OrganizationSettings(Body):
    """What may change. The addresses of a short name that was given up lead on."""

    name = serializers.CharField(max_length=100, required=False)
    slug = serializers.CharField(max_length=40, required=False)
    colour = serializers.CharField(
        max_length=7, allow_blank=True, required=False, help_text="Such as #2a5bd7; empty: the platform's own."
    )
    require_second_factor = serializers.BooleanField(required=False, help_text="Of people; keys are none.")
    audit_retention_days = serializers.IntegerField(min_value=30, max_value=3650, required=False)

    def validate_colour(self, value: str) -> str:
        return value.lower()


class Confirmation(Body):
    """What the portal asks to be typed."""

    confirmation = serializers.CharField(
        max_length=200, trim_whitespace=False, help_text="The organization's name, letter by letter."
    )


class Transfer(Confirmation):
    """Who becomes the Owner."""

    member_id = VisibleField(Membership)


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
        changes = self.read_body(OrganizationSettings, partial=True)
        changed = profile.update_organization(organization=found, actor=request.user, **changes)
        return self.answer(OrganizationSerializer, changed)


class OrganizationTransferView(ApiView):
    """Hands the ownership to another member; the Owner before becomes an Admin. Only the Owner's key does it."""

    @extend_schema(request=Transfer, responses=MemberSerializer)
    def post(self, request: Request, organization_id: uuid.UUID) -> Response:
        found = self.find(Organization, "org.ownership.transfer", pk=organization_id)
        wanted = self.read_body(Transfer)
        heir = members.transfer_ownership(
            organization=found, to=wanted["member_id"], confirmation=wanted["confirmation"], actor=request.user
        )
        return self.answer(MemberSerializer, heir)


class OrganizationDeleteView(ApiView):
    """Wishes for its deletion, in seven days; until then nothing new is made in it. Harmless to repeat: the day stays.
    Refused while it has environments, which are named."""

    @extend_schema(request=Confirmation, responses=OrganizationSerializer)
    def post(self, request: Request, organization_id: uuid.UUID) -> Response:
        found = self.find(Organization, "org.delete", pk=organization_id)
        leaves = leaving.request_deletion(organization=found, actor=request.user, **self.read_body(Confirmation))
        return self.answer(OrganizationSerializer, leaves)


class OrganizationKeepView(ApiView):
    """Takes the wish to delete it back; harmless where there is none."""

    @extend_schema(request=None, responses=OrganizationSerializer)
    def post(self, request: Request, organization_id: uuid.UUID) -> Response:
        found = self.find(Organization, "org.delete", pk=organization_id)
        return self.answer(OrganizationSerializer, leaving.keep(organization=found, actor=request.user))


_ORGANIZATION = "organizations/<uuid:organization_id>"
urlpatterns = [
    path("organizations", OrganizationListView.as_view(), name="organizations"),
    path(_ORGANIZATION, OrganizationView.as_view(), name="organization"),
    path(f"{_ORGANIZATION}/transfer", OrganizationTransferView.as_view(), name="organization_transfer"),
    path(f"{_ORGANIZATION}/delete", OrganizationDeleteView.as_view(), name="organization_delete"),
    path(f"{_ORGANIZATION}/keep", OrganizationKeepView.as_view(), name="organization_keep"),
]
