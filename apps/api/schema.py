"""The OpenAPI description: made from the views and their serializers, with the errors that every operation has."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

ERRORS = {
    "400": "The body is not JSON.",
    "401": "No key, or one that opens nothing.",
    "403": "The key's person does not have the right, or the key may only read.",
    "404": "There is no such thing, or not for this key.",
    "405": "The address does not know this method.",
    "409": "The state does not allow it, or something else is under way.",
    "413": "The body is too large.",
    "415": "The body is not application/json.",
    "422": "A value is wrong: `detail` names the fields.",
    "429": "Too many requests: `retry_after` in seconds.",
    "500": "The platform did not expect this.",
    "502": "A server or a service outside did not answer.",
    "503": "A part of the platform is not available.",
}
_WRITES = {"post", "put", "patch", "delete"}
_ONLY_WRITES = {"400", "409", "413", "415"}
_IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Sent again within 24 hours, the request acts once and gets the same answer.",
)


class Schema(AutoSchema):
    """Names of operations, and the header of every write."""

    def get_override_parameters(self) -> list[Any]:
        return [_IDEMPOTENCY] if self.method.lower() in _WRITES else []

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/public/v1/").partition("/")[0]]

    def get_operation_id(self) -> str:
        words = [part.strip("{}") for part in self.path.removeprefix("/api/public/v1/").split("/") if part]
        return "_".join([self.method.lower(), *words]).replace("-", "_")


def page_of(serializer: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """The serializer of a page of such rows, for the description."""
    fields = {
        "results": serializer(many=True),
        "limit": serializers.IntegerField(),
        "offset": serializers.IntegerField(),
        "has_more": serializers.BooleanField(),
        "__doc__": f"A page of {serializer.__name__}.",
    }
    return type(f"{serializer.__name__}Page", (serializers.Serializer,), fields)


def only_the_api(endpoints: list[tuple], **details: Any) -> list[tuple]:
    """Hook: no address outside the prefix is described, and not the description itself."""
    return [one for one in endpoints if one[0].startswith("/api/public/v1/") and "openapi.json" not in one[0]]


def add_errors(result: dict[str, Any], **details: Any) -> dict[str, Any]:
    """Hook: the errors that every operation can answer."""
    result["components"].setdefault("schemas", {})["Error"] = _ERROR
    for methods in result["paths"].values():
        for method, operation in methods.items():
            for status, description in ERRORS.items():
                if status in _ONLY_WRITES and method not in _WRITES:
                    continue
                content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                operation["responses"].setdefault(status, {"description": description, "content": content})
    return result


_ERROR = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {"type": "string", "description": "For programs.", "examples": ["validation_error"]},
        "message": {"type": "string", "description": "For people."},
        "detail": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "retry_after": {"type": "integer", "description": "Seconds, with 429."},
    },
}
