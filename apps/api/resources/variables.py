"""Variables of an environment. A sensitive value is never given out."""

from __future__ import annotations

import uuid

from django.http import Http404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Body, ListQuery
from apps.api.resources.environments import environments
from apps.api.schema import page_of
from apps.core.fields import unreadable
from apps.environments import variables
from apps.environments.models import EnvironmentVariable

VIEW, MANAGE = "project.environments.vars.view", "project.environments.vars.manage"


class VariableSerializer(serializers.ModelSerializer):
    """A variable that Odoo's container gets at the next deployment."""

    value = serializers.SerializerMethodField(help_text="null where it is sensitive, or not readable.")
    readable = serializers.SerializerMethodField(
        help_text="false where the stored value cannot be decrypted any more: set it again, or remove it."
    )

    class Meta:
        model = EnvironmentVariable
        fields = ("key", "kind", "value", "sensitive", "readable", "created_at", "updated_at")
        read_only_fields = fields

    def get_value(self, variable: EnvironmentVariable) -> str | None:
        return None if variable.sensitive or unreadable(variable) else variable.value

    def get_readable(self, variable: EnvironmentVariable) -> bool:
        return not unreadable(variable)


class VariableBody(Body):
    """A value. What was entered as sensitive stays so."""

    value = serializers.CharField(max_length=variables.LONGEST_VALUE, allow_blank=True, trim_whitespace=False)
    kind = serializers.ChoiceField(EnvironmentVariable.Kind.choices, default=EnvironmentVariable.Kind.STRING)
    sensitive = serializers.BooleanField(default=False)


class VariableListView(ApiView):
    """All variables of an environment."""

    @extend_schema(parameters=[ListQuery], responses=page_of(VariableSerializer))
    def get(self, request: Request, environment_id: uuid.UUID) -> Response:
        environment = self.find(environments(), VIEW, pk=environment_id)
        rows = EnvironmentVariable.objects.visible_to(request.user).filter(environment=environment).order_by("key")
        return self.page(rows, VariableSerializer, self.read_query(ListQuery))


class VariableView(ApiView):
    """One variable, by its name."""

    @extend_schema(responses=VariableSerializer)
    def get(self, request: Request, environment_id: uuid.UUID, key: str) -> Response:
        return self.answer(VariableSerializer, self._found(VIEW, environment_id, key))

    @extend_schema(request=VariableBody, responses=VariableSerializer)
    def put(self, request: Request, environment_id: uuid.UUID, key: str) -> Response:
        """Sets it, new or not; applied at the next deployment."""
        environment = self.find(environments(), MANAGE, pk=environment_id)
        wanted = self.read_body(VariableBody)
        made = variables.set_variable(environment=environment, key=key, actor=request.user, **wanted)
        return self.answer(VariableSerializer, made)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, environment_id: uuid.UUID, key: str) -> Response:
        variables.delete_variable(variable=self._found(MANAGE, environment_id, key), actor=request.user)
        return Response(status=204)

    def _found(self, code: str, environment_id: uuid.UUID, key: str) -> EnvironmentVariable:
        environment = self.find(environments(), code, pk=environment_id)
        found = environment.variables.filter(key=key.replace("\0", "")).first()
        if found is None:
            raise Http404
        return found


_VARIABLES = "environments/<uuid:environment_id>/variables"
urlpatterns = [
    path(_VARIABLES, VariableListView.as_view(), name="variables"),
    path(f"{_VARIABLES}/<str:key>", VariableView.as_view(), name="variable"),
]
