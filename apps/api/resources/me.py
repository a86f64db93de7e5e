"""Who the key is."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.models import ApiKey
from apps.orgs.access import codes_on
from apps.orgs.models import Membership
from apps.orgs.roles import Role


class Person(serializers.Serializer):
    """The person that the key acts for."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    display_name = serializers.CharField()


class OwnKey(serializers.Serializer):
    """The key itself."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(ApiKey.Kind.choices)
    hint = serializers.CharField(help_text="How it begins and ends.")
    project_id = serializers.UUIDField(allow_null=True, help_text="The one project that it opens; null: all.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class OwnOrganization(serializers.Serializer):
    """The organization that the key belongs to."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()
    role = serializers.ChoiceField(Role.choices, help_text="The person's role.")


class MeSerializer(serializers.Serializer):
    """What the key is, and what it may."""

    user = Person()
    api_key = OwnKey()
    organization = OwnOrganization()
    permissions = serializers.ListField(
        child=serializers.CharField(), help_text="On the organization, or on the key's one project."
    )


class MeView(ApiView):
    """The key, its person and its rights."""

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        key = request.auth
        membership = Membership.objects.get(organization=key.organization, user=request.user)
        codes = codes_on(request.user, key.organization)
        if key.project is not None:
            codes |= codes_on(request.user, key.project)
        facts: dict[str, Any] = {
            "user": request.user,
            "api_key": key,
            "organization": {
                "id": key.organization.pk,
                "name": key.organization.name,
                "slug": key.organization.slug,
                "role": membership.role,
            },
            "permissions": sorted(codes),
        }
        return self.answer(MeSerializer, facts)


urlpatterns = [path("me", MeView.as_view(), name="me")]
