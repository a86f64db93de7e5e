"""Every refusal in one shape: `{error, message[, detail]}`. `error` is for programs, `message` for people."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.api.limits import RateLimitExceeded
from apps.core.exceptions import Problem

logger = logging.getLogger(__name__)
_CODES = {
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
}
# What people's forms call otherwise.
FIELD_NAMES = {"environment_type": "env_type", "branch": "git_branch", "server": "server_id"}


class ReadOnlyKey(exceptions.PermissionDenied):
    """A key for reading was used to write."""

    default_code = "read_only_key"
    default_detail = "This key may only read. Use one that begins with oec_live_rw_."


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """The answer to whatever a view raised. What nobody expected is logged with a reference, and told as that."""
    set_rollback()
    if isinstance(error, Problem):
        return _answer(error.http_status, error.code, f"{error.title} {error.what_to_do}".strip())
    if isinstance(error, Http404):
        return _answer(404, "not_found", "There is nothing at this address, or not for this key.")
    if isinstance(error, PermissionDenied):
        return _answer(403, "permission_denied", str(error) or "The key's person may not do this.")
    if isinstance(error, ValidationError):
        return _invalid(_of_django(error))
    if isinstance(error, exceptions.ValidationError):
        return _invalid(_of_framework(error.detail))
    if isinstance(error, exceptions.APIException):
        return _of_api_exception(error)
    reference = uuid.uuid4().hex[:12]
    logger.error("Unexpected in the API, reference %s", reference, exc_info=error)
    return _answer(500, "internal_error", f"The platform did not expect this. Tell platform staff: {reference}")


def _of_api_exception(error: exceptions.APIException) -> Response:
    if isinstance(error, RateLimitExceeded):
        wait = error.allowance.retry_after
        response = _answer(429, "rate_limit_exceeded", str(error.detail), retry_after=wait)
        for name, value in {"Retry-After": str(wait), **error.allowance.headers}.items():
            response[name] = value
        return response
    code = _CODES.get(type(error)) or getattr(error.detail, "code", error.default_code)
    response = _answer(error.status_code, code, str(error.detail))
    if getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = error.auth_header
    return response


def _answer(status_code: int, code: str, message: str, **more: Any) -> Response:
    return Response({"error": code, "message": message, **more}, status=status_code)


def _invalid(detail: list[dict[str, str]]) -> Response:
    first = next((f"{one['field']}: {one['message']}" if one["field"] else one["message"] for one in detail), "")
    return _answer(status.HTTP_422_UNPROCESSABLE_ENTITY, "validation_error", first or "Invalid.", detail=detail)


def _of_django(error: ValidationError) -> list[dict[str, str]]:
    if not hasattr(error, "error_dict"):
        return [{"field": "", "message": message} for message in error.messages]
    return [
        {"field": "" if name == "__all__" else FIELD_NAMES.get(name, name), "message": message}
        for name, messages in error.message_dict.items()
        for message in messages
    ]


def _of_framework(detail: Any, path: str = "") -> list[dict[str, str]]:
    """Nested errors with their paths: `branch_map.staging`, `projects.0`."""
    if isinstance(detail, dict):
        found = []
        for name, inner in detail.items():
            below = path if name == "non_field_errors" else f"{path}.{name}".lstrip(".")
            found += _of_framework(inner, below)
        return found
    if isinstance(detail, list):
        found = []
        for number, inner in enumerate(detail):
            is_nested = isinstance(inner, dict | list)
            found += _of_framework(inner, f"{path}.{number}".lstrip(".") if is_nested else path)
        return found
    return [{"field": path, "message": str(detail)}]


def unknown_address(request: HttpRequest, *arguments: Any, **details: Any) -> JsonResponse:
    """Whatever is not there, below the API's prefix."""
    return JsonResponse({"error": "not_found", "message": "There is nothing at this address."}, status=404)
