"""What every endpoint is made of. A view asks `visible_to` first (404) and `require` then (403), and writes only
through the services of the apps."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

from django.db import models
from django.db.models import QuerySet
from django.http import Http404
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api import errors, idempotency, limits
from apps.api.authentication import KeyAuthentication
from apps.api.parsing import JsonParser
from apps.api.schema import Schema
from apps.operations.models import Operation
from apps.orgs.access import require
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404

PREFIX = "/api/public/v1"
LARGEST_OFFSET = 10_000_000
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class JsonAlways(BaseContentNegotiation):
    """Answers are JSON, whatever was asked for."""

    def select_parser(self, request: Request, parsers: list[Any]) -> Any:
        content_type = (request.content_type or "application/json").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(self, request: Request, renderers: list[Any], format_suffix: Any = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """One address. `request.user` is the key's person, narrowed to what the key allows; `request.auth` is the key."""

    authentication_classes: ClassVar[list[Any]] = [KeyAuthentication]
    permission_classes: ClassVar[list[Any]] = []
    parser_classes: ClassVar[list[Any]] = [JsonParser]
    renderer_classes: ClassVar[list[Any]] = [JSONRenderer]
    content_negotiation_class = JsonAlways
    metadata_class = None
    schema = Schema()

    def get_exception_handler(self) -> Any:
        return errors.handle

    def initial(self, request: Request, *arguments: Any, **details: Any) -> None:
        """Who it is, how often, and whether the key may write at all; then the view asks its own questions."""
        self.allowance: limits.Allowance | None = None
        super().initial(request, *arguments, **details)
        is_write = request.method not in SAFE
        key = request.auth
        self.allowance = limits.take(key.pk, key.created_by_id, is_write=is_write and not key.is_read_only)
        if is_write and key.is_read_only:
            raise errors.ReadOnlyKey
        name = request.method.lower()
        # A method may have any name, and this object has attributes that are no handlers.
        handler = getattr(self, name, None) if name in self.http_method_names else None
        if is_write and handler is not None and idempotency.HEADER in request.headers:
            # The framework looks the handler up on this object right after this.
            setattr(self, name, functools.partial(idempotency.run_once, handler))

    def finalize_response(self, request: Request, response: Any, *arguments: Any, **details: Any) -> Any:
        response = super().finalize_response(request, response, *arguments, **details)
        allowance = getattr(self, "allowance", None)
        for name, value in (allowance.headers if allowance else {}).items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @property
    def organization(self) -> Organization:
        """The key's organization."""
        return self.request.auth.organization

    def find(self, source: type[models.Model] | QuerySet, code: str, **lookup: Any) -> Any:
        """The row that the key may see, and has the permission on. Raises Http404, PermissionDenied."""
        found = get_visible_or_404(source, self.request.user, **lookup)
        require(self.request.user, code, found)
        return found

    def require(self, code: str, target: Any = None) -> None:
        """Raises PermissionDenied unless the key's person has the code on the target, or on the organization."""
        require(self.request.user, code, self.organization if target is None else target)

    def read_body(self, serializer: type[serializers.Serializer], *, partial: bool = False) -> dict[str, Any]:
        """The validated body. Raises ValidationError, for unknown fields too."""
        read = serializer(data=self.request.data, partial=partial, context={"request": self.request})
        read.is_valid(raise_exception=True)
        return read.validated_data

    def read_query(self, serializer: type[serializers.Serializer]) -> dict[str, Any]:
        """The validated query parameters."""
        read = serializer(data=self.request.query_params.dict(), context={"request": self.request})
        read.is_valid(raise_exception=True)
        return read.validated_data

    def answer(self, serializer: type[serializers.Serializer], row: Any, status: int = 200) -> Response:
        """One row."""
        return Response(serializer(row, context={"request": self.request}).data, status=status)

    def page(self, rows: QuerySet | list[Any], serializer: type[serializers.Serializer], query: dict) -> Response:
        """One page of rows. One row more than fits is read, to know whether there are others."""
        limit, offset = query["limit"], query["offset"]
        found = list(rows[offset : offset + limit + 1])
        results = serializer(found[:limit], many=True, context={"request": self.request}).data
        return Response({"results": results, "limit": limit, "offset": offset, "has_more": len(found) > limit})


class ListQuery(serializers.Serializer):
    """Which part of a list."""

    limit = serializers.IntegerField(min_value=1, max_value=100, default=50, help_text="How many, 1 to 100.")
    offset = serializers.IntegerField(
        min_value=0, max_value=LARGEST_OFFSET, default=0, help_text="How many are left out before the first."
    )


class Body(serializers.Serializer):
    """A request's body, in which an unknown field is an error: it is a typing mistake more often than not."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = {str(name): ["There is no such field."] for name in data.keys() - self.fields.keys()}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class VisibleField(serializers.UUIDField):
    """The id of a row that the key may see; becomes the row. Another organization's is as unknown as a missing one.
    With `is_place` it is where something is made, and an unknown one is answered by 404."""

    def __init__(self, model: type[models.Model], *, is_place: bool = False, **details: Any) -> None:
        super().__init__(**details)
        self.model, self.is_place = model, is_place

    def to_internal_value(self, data: Any) -> models.Model:
        identifier = super().to_internal_value(data)
        rows = self.model._default_manager.visible_to(self.context["request"].user)
        found = rows.in_organization(self.context["request"].auth.organization).filter(pk=identifier).first()
        if found is None and self.is_place:
            raise Http404
        if found is None:
            raise serializers.ValidationError(f"There is no {self.model._meta.verbose_name} with this id.")
        return found


class StartedTask(serializers.Serializer):
    """Something long has been queued: ask at `poll_url`, or follow `/tasks/{task_id}/events`."""

    task_id = serializers.UUIDField()
    status = serializers.CharField(help_text="`queued`, or `pending` behind another task.")
    environment_id = serializers.UUIDField(allow_null=True)
    poll_url = serializers.CharField()


def started(operation: Operation) -> dict[str, Any]:
    """What is answered for an operation that was queued just now."""
    is_environment = operation.subject_type == "environments.environment"
    return {
        "task_id": str(operation.pk),
        "status": operation.status,
        "environment_id": str(operation.subject_id) if is_environment else None,
        "poll_url": f"{PREFIX}/tasks/{operation.pk}",
    }


def accepted(operation: Operation) -> Response:
    """202 for an operation."""
    return Response(started(operation), status=202)
