"""API keys of the organization."""

from __future__ import annotations

import uuid

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import keys
from apps.api.base import ApiView, Body, ListQuery, VisibleField
from apps.api.models import KEY_STATUSES, ApiKey
from apps.api.schema import page_of
from apps.projects.models import Project

MANAGE = "org.api_keys.manage"


class ApiKeySerializer(serializers.ModelSerializer):
    """A key, without its text."""

    project_id = serializers.UUIDField(allow_null=True)
    created_by = serializers.EmailField(source="created_by.email")
    hint = serializers.CharField(help_text="How it begins and ends.")
    status = serializers.ChoiceField(KEY_STATUSES)

    class Meta:
        model = ApiKey
        fields = (
            "id",
            "name",
            "kind",
            "hint",
            "project_id",
            "created_by",
            "status",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        )
        read_only_fields = fields


class CreatedApiKey(ApiKeySerializer):
    """A new key. Its text is in this answer and nowhere else."""

    key = serializers.CharField()

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")
        read_only_fields = fields


class NewApiKey(Body):
    """A key to be made, in the name of this key's person."""

    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(ApiKey.Kind.choices, default=ApiKey.Kind.READ_ONLY)
    project_id = VisibleField(Project, required=False, allow_null=True)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class ApiKeyListView(ApiView):
    """All keys of the organization, the newest first; revoked and expired ones too."""

    @extend_schema(parameters=[ListQuery], responses=page_of(ApiKeySerializer))
    def get(self, request: Request) -> Response:
        self.require(MANAGE)
        rows = ApiKey.objects.visible_to(request.user).select_related("created_by").order_by("-created_at", "-pk")
        return self.page(rows, ApiKeySerializer, self.read_query(ListQuery))

    @extend_schema(request=NewApiKey, responses={201: CreatedApiKey})
    def post(self, request: Request) -> Response:
        self.require(MANAGE)
        wanted = self.read_body(NewApiKey)
        made, text = keys.create_key(
            organization=self.organization,
            actor=request.user,
            project=wanted.pop("project_id", None),
            made_with=request.auth,
            **wanted,
        )
        made.key = text
        return self.answer(CreatedApiKey, made, status=201)


class ApiKeyView(ApiView):
    """One key."""

    @extend_schema(responses=ApiKeySerializer)
    def get(self, request: Request, key_id: uuid.UUID) -> Response:
        return self.answer(ApiKeySerializer, self.find(ApiKey.objects.select_related("created_by"), MANAGE, pk=key_id))

    @extend_schema(responses={200: ApiKeySerializer})
    def delete(self, request: Request, key_id: uuid.UUID) -> Response:
        """Revokes it, at once and for ever; also the key that asks."""
        found = self.find(ApiKey.objects.select_related("created_by"), MANAGE, pk=key_id)
        return self.answer(ApiKeySerializer, keys.revoke_key(key=found, actor=request.user))


urlpatterns = [
    path("api-keys", ApiKeyListView.as_view(), name="api_keys"),
    path("api-keys/<uuid:key_id>", ApiKeyView.as_view(), name="api_key"),
]
