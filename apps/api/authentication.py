"""`Authorization: Bearer <key>`, or else `X-API-Key: <key>`. Cookies open nothing here."""

from __future__ import annotations

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from apps.accounts.models import User
from apps.api import keys
from apps.api.models import ApiKey
from apps.core import request_context


class KeyAuthentication(BaseAuthentication):
    """The person is the one who made the key, narrowed to what the key allows; `request.auth` is the key."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey]:
        text = key_in(request)
        try:
            key = keys.open_key(text)
        except keys.KeyRefused as refused:
            raise AuthenticationFailed(str(refused), code=refused.code) from refused
        context = request_context.current()
        if context is not None:
            context.by_key(key.pk, key.name)
        return key.created_by, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="OEC.SH"'


def key_in(request: Request) -> str:
    """The key that a request carries. An Authorization header wins, even one that is of no use; raises
    NotAuthenticated `missing_auth`, AuthenticationFailed `invalid_key_format`."""
    header = request.headers.get("authorization")
    if header is None:
        text = request.headers.get("x-api-key", "").strip()
        if not text:
            raise NotAuthenticated(
                "Send a key: the header Authorization: Bearer <key>, or X-API-Key: <key>.", code="missing_auth"
            )
        return text
    scheme, _, text = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise AuthenticationFailed("The header is Authorization: Bearer <key>.", code="invalid_key_format")
    return text.strip()


class KeyScheme(OpenApiAuthenticationExtension):
    """How the schema speaks of keys."""

    target_class = "apps.api.authentication.KeyAuthentication"
    name = ["bearer", "apiKey"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key. It wins over X-API-Key."},
            {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
        ]

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[str]]]:
        return [{name: []} for name in self.name]
