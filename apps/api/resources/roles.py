"""Roles: the platform's, which are fixed, and the organization's own."""

from __future__ import annotations

import uuid

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery
from apps.api.schema import page_of
from apps.orgs import custom_roles
from apps.orgs.models import CustomRole
from apps.orgs.roles import CODES_BY_ROLE, ORDERED_CODES, ROLE_TITLES

VIEW, MANAGE = "org.roles.view", "org.roles.manage"
LONGEST_CODE = 60
TIERS = {"portal": "platform", "org": "organization", "project": "project"}


class SystemRoleSerializer(serializers.Serializer):
    """One of the platform's roles."""

    name = serializers.ChoiceField(list(ROLE_TITLES))
    title = serializers.CharField(help_text="As the portal's pages call it.")
    tier = serializers.ChoiceField(list(TIERS.values()), help_text="Where it is given.")
    codes = serializers.ListField(child=serializers.CharField(), help_text="In the order of the table.")


class RolesSerializer(serializers.Serializer):
    """The table of all permissions and roles."""

    codes = serializers.ListField(child=serializers.CharField(), help_text="Every permission there is.")
    roles = SystemRoleSerializer(many=True)


class CustomRoleSerializer(serializers.ModelSerializer):
    """A role that the organization made: a name for permissions, given to members besides their role."""

    codes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = CustomRole
        fields = ("id", "name", "description", "codes", "created_at", "updated_at")
        read_only_fields = fields


class CustomRoleBody(Body):
    """What a person chooses of a role. Nobody gives a permission that they do not have."""

    name = serializers.CharField(max_length=60)
    description = serializers.CharField(max_length=300, allow_blank=True, required=False)
    codes = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CODE),
        min_length=1,
        max_length=len(ORDERED_CODES),
        help_text="Of the organization's and the project's tier.",
    )


class RolesView(ApiView):
    """The platform's nine roles, and what each may."""

    @extend_schema(responses=RolesSerializer)
    def get(self, request: Request) -> Response:
        self.require(VIEW)
        roles = [
            {
                "name": name,
                "title": title,
                "tier": TIERS[name.partition("_")[0]],
                "codes": [code for code in ORDERED_CODES if code in CODES_BY_ROLE[name]],
            }
            for name, title in ROLE_TITLES.items()
        ]
        return self.answer(RolesSerializer, {"codes": ORDERED_CODES, "roles": roles})


class CustomRoleListView(ApiView):
    """The organization's own roles."""

    @extend_schema(parameters=[ListQuery], responses=page_of(CustomRoleSerializer))
    def get(self, request: Request) -> Response:
        self.require(VIEW)
        rows = CustomRole.objects.visible_to(request.user).order_by("name", "pk")
        return self.page(rows, CustomRoleSerializer, self.read_query(ListQuery))

    @extend_schema(request=CustomRoleBody, responses={201: CustomRoleSerializer})
    def post(self, request: Request) -> Response:
        self.require(MANAGE)
        wanted = self.read_body(CustomRoleBody)
        made = custom_roles.create_role(organization=self.organization, actor=request.user, **wanted)
        return self.answer(CustomRoleSerializer, made, status=201)


class CustomRoleView(ApiView):
    """One of the organization's own roles."""

    @extend_schema(responses=CustomRoleSerializer)
    def get(self, request: Request, role_id: uuid.UUID) -> Response:
        return self.answer(CustomRoleSerializer, self._found(VIEW, role_id))

    @extend_schema(request=CustomRoleBody, responses=CustomRoleSerializer)
    def patch(self, request: Request, role_id: uuid.UUID) -> Response:
        """Changes it for everybody who has it, at once."""
        found = self._found(MANAGE, role_id)
        changes = self.read_body(CustomRoleBody, partial=True)
        changed = custom_roles.update_role(role=found, actor=request.user, **changes)
        return self.answer(CustomRoleSerializer, changed)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, role_id: uuid.UUID) -> Response:
        """Takes it from everybody who has it."""
        custom_roles.delete_role(role=self._found(MANAGE, role_id), actor=request.user)
        return Response(status=204)

    def _found(self, code: str, role_id: uuid.UUID) -> CustomRole:
        return self.find(CustomRole.objects.select_related("organization"), code, pk=role_id)


urlpatterns = [
    path("roles", RolesView.as_view(), name="roles"),
    path("custom-roles", CustomRoleListView.as_view(), name="custom_roles"),
    path("custom-roles/<uuid:role_id>", CustomRoleView.as_view(), name="custom_role"),
]
