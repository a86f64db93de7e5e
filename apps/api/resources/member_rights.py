"""What one member may, and why; the organization's own roles and the exceptions that the member has."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery, VisibleField
from apps.api.resources.roles import LONGEST_CODE, MANAGE, VIEW
from apps.api.schema import page_of
from apps.api.task_access import visible_project_ids
from apps.core import clock
from apps.orgs import custom_roles, overrides
from apps.orgs.explanation import explain
from apps.orgs.models import CustomRole, CustomRoleAssignment, Membership, PermissionOverride
from apps.orgs.querysets import get_visible_or_404
from apps.projects.models import Project


class ReasonedPermission(serializers.Serializer):
    """One permission that something gives to the member, or takes away."""

    code = serializers.CharField()
    has = serializers.BooleanField(help_text="Whether the member has it, all taken together.")
    reasons = serializers.ListField(child=serializers.CharField(), help_text="What gives it, what takes it.")


class MemberPermissions(serializers.Serializer):
    """What a member may in the organization, or on one project, and why."""

    member_id = serializers.UUIDField()
    project_id = serializers.UUIDField(allow_null=True)
    permissions = ReasonedPermission(many=True)


class PermissionsQuery(serializers.Serializer):
    """Where."""

    project_id = VisibleField(Project, required=False, help_text="On this project; without one, in the organization.")


class _PlacedSerializer(serializers.ModelSerializer):
    """What holds everywhere or on one project. A project that the key does not see is not named."""

    everywhere = serializers.SerializerMethodField(help_text="In the whole organization.")
    project_id = serializers.SerializerMethodField(help_text="null: everywhere, or on a project that the key lacks.")

    def get_everywhere(self, row: Any) -> bool:
        return row.on_project is None

    @extend_schema_field({"type": ["string", "null"], "format": "uuid"})
    def get_project_id(self, row: Any) -> str | None:
        seen = visible_project_ids(self.context["request"].user, row.organization)
        return str(row.on_project) if row.on_project in seen else None


class GivenRoleSerializer(_PlacedSerializer):
    """One of the organization's own roles that the member has."""

    role_id = serializers.UUIDField()
    name = serializers.CharField(source="role.name")

    class Meta:
        model = CustomRoleAssignment
        fields = ("id", "role_id", "name", "everywhere", "project_id", "created_at")
        read_only_fields = fields


class OverrideSerializer(_PlacedSerializer):
    """One permission given to, or taken from, the member, whatever else says."""

    in_force = serializers.SerializerMethodField(help_text="false once it has ended.")

    class Meta:
        model = PermissionOverride
        fields = ("id", "code", "effect", "everywhere", "project_id", "expires_at", "in_force", "reason", "created_at")
        extra_kwargs = {"expires_at": {"allow_null": True, "help_text": "null: for good."}}
        read_only_fields = fields

    def get_in_force(self, override: PermissionOverride) -> bool:
        return override.expires_at is None or override.expires_at > clock.now()


class GivenRole(Body):
    """Which of the organization's own roles, and where."""

    role_id = VisibleField(CustomRole)
    project_id = VisibleField(Project, required=False, allow_null=True)


class NewOverride(Body):
    """An exception. It takes the place of an earlier one about the same permission and place."""

    code = serializers.CharField(max_length=LONGEST_CODE)
    effect = serializers.ChoiceField(PermissionOverride.Effect.choices)
    project_id = VisibleField(Project, required=False, allow_null=True)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, help_text="null: for good.")
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True)


class _MemberView(ApiView):
    """What the addresses below one member have in common."""

    def member(self, code: str, member_id: uuid.UUID) -> Membership:
        return self.find(Membership.objects.select_related("user", "organization"), code, pk=member_id)

    @staticmethod
    def given(member: Membership) -> Any:
        rows = CustomRoleAssignment.objects.select_related("role__organization", "user")
        return rows.filter(role__organization=member.organization, user=member.user)

    @staticmethod
    def exceptions(member: Membership) -> Any:
        rows = PermissionOverride.objects.select_related("organization", "user")
        return rows.filter(organization=member.organization, user=member.user)


class MemberPermissionsView(_MemberView):
    """Every permission that something gives to the member or takes away, with where it comes from."""

    @extend_schema(parameters=[PermissionsQuery], responses=MemberPermissions)
    def get(self, request: Request, member_id: uuid.UUID) -> Response:
        found = self.member(VIEW, member_id)
        project = self.read_query(PermissionsQuery).get("project_id")
        facts = {
            "member_id": found.pk,
            "project_id": project.pk if project is not None else None,
            "permissions": explain(found.user, found.organization, project),
        }
        return self.answer(MemberPermissions, facts)


class MemberRoleListView(_MemberView):
    """The organization's own roles that the member has."""

    @extend_schema(parameters=[ListQuery], responses=page_of(GivenRoleSerializer))
    def get(self, request: Request, member_id: uuid.UUID) -> Response:
        rows = self.given(self.member(VIEW, member_id)).order_by("role__name", "pk")
        return self.page(rows, GivenRoleSerializer, self.read_query(ListQuery))

    @extend_schema(request=GivenRole, responses={201: GivenRoleSerializer})
    def post(self, request: Request, member_id: uuid.UUID) -> Response:
        """Gives one, everywhere or on one project; harmless for one that the member has there."""
        found = self.member(MANAGE, member_id)
        wanted = self.read_body(GivenRole)
        made = custom_roles.give_role(
            role=wanted["role_id"], user=found.user, actor=request.user, project_id=_key(wanted.get("project_id"))
        )
        return self.answer(GivenRoleSerializer, made, status=201)


class MemberRoleView(_MemberView):
    """One role that the member has."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, member_id: uuid.UUID, assignment_id: uuid.UUID) -> Response:
        """Takes it from the member."""
        rows = self.given(self.member(MANAGE, member_id))
        found = get_visible_or_404(rows, request.user, pk=assignment_id)
        custom_roles.take_role(assignment=found, actor=request.user)
        return Response(status=204)


class MemberOverrideListView(_MemberView):
    """The exceptions for the member, those that have ended too."""

    @extend_schema(parameters=[ListQuery], responses=page_of(OverrideSerializer))
    def get(self, request: Request, member_id: uuid.UUID) -> Response:
        rows = self.exceptions(self.member(VIEW, member_id)).order_by("code", "pk")
        return self.page(rows, OverrideSerializer, self.read_query(ListQuery))

    @extend_schema(request=NewOverride, responses={201: OverrideSerializer})
    def post(self, request: Request, member_id: uuid.UUID) -> Response:
        """Gives or takes one permission, for a while or for good."""
        found = self.member(MANAGE, member_id)
        wanted = self.read_body(NewOverride)
        project_id = _key(wanted.pop("project_id", None))
        made = overrides.set_override(
            organization=found.organization, user=found.user, actor=request.user, project_id=project_id, **wanted
        )
        return self.answer(OverrideSerializer, made, status=201)


class MemberOverrideView(_MemberView):
    """One exception."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, member_id: uuid.UUID, override_id: uuid.UUID) -> Response:
        """Ends it."""
        rows = self.exceptions(self.member(MANAGE, member_id))
        found = get_visible_or_404(rows, request.user, pk=override_id)
        overrides.remove_override(override=found, actor=request.user)
        return Response(status=204)


def _key(project: Project | None) -> uuid.UUID | None:
    return project.pk if project is not None else None


_MEMBER = "members/<uuid:member_id>"
urlpatterns = [
    path(f"{_MEMBER}/permissions", MemberPermissionsView.as_view(), name="member_permissions"),
    path(f"{_MEMBER}/custom-roles", MemberRoleListView.as_view(), name="member_custom_roles"),
    path(f"{_MEMBER}/custom-roles/<uuid:assignment_id>", MemberRoleView.as_view(), name="member_custom_role"),
    path(f"{_MEMBER}/overrides", MemberOverrideListView.as_view(), name="member_overrides"),
    path(f"{_MEMBER}/overrides/<uuid:override_id>", MemberOverrideView.as_view(), name="member_override"),
]
