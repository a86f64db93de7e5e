"""Members of the organization."""

from __future__ import annotations

import uuid

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery
from apps.api.schema import page_of
from apps.orgs import members
from apps.orgs.models import Membership
from apps.orgs.roles import Role

MANAGE = "org.members.manage"


class MemberSerializer(serializers.ModelSerializer):
    """One person in the organization."""

    user_id = serializers.UUIDField()
    email = serializers.EmailField(source="user.email")
    display_name = serializers.CharField(source="user.display_name")

    class Meta:
        model = Membership
        fields = ("id", "user_id", "email", "display_name", "role", "created_at")
        read_only_fields = fields


class MemberBody(Body):
    """Nobody becomes Owner this way: the ownership is handed on by `/organizations/{id}/transfer`."""

    role = serializers.ChoiceField(Role.choices)


class MemberListView(ApiView):
    """The organization's people."""

    @extend_schema(parameters=[ListQuery], responses=page_of(MemberSerializer))
    def get(self, request: Request) -> Response:
        self.require("org.members.list")
        rows = Membership.objects.visible_to(request.user).select_related("user").order_by("user__email", "pk")
        return self.page(rows, MemberSerializer, self.read_query(ListQuery))


class MemberView(ApiView):
    """One member."""

    @extend_schema(responses=MemberSerializer)
    def get(self, request: Request, member_id: uuid.UUID) -> Response:
        return self.answer(MemberSerializer, self._found("org.members.list", member_id))

    @extend_schema(request=MemberBody, responses=MemberSerializer)
    def patch(self, request: Request, member_id: uuid.UUID) -> Response:
        found = self._found(MANAGE, member_id)
        changed = members.change_role(membership=found, actor=request.user, **self.read_body(MemberBody))
        return self.answer(MemberSerializer, changed)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, member_id: uuid.UUID) -> Response:
        """Takes the person out, with all that they had in the organization; their API keys open nothing any more."""
        members.remove_member(membership=self._found(MANAGE, member_id), actor=request.user)
        return Response(status=204)

    def _found(self, code: str, member_id: uuid.UUID) -> Membership:
        return self.find(Membership.objects.select_related("user", "organization"), code, pk=member_id)


urlpatterns = [
    path("members", MemberListView.as_view(), name="members"),
    path("members/<uuid:member_id>", MemberView.as_view(), name="member"),
]
