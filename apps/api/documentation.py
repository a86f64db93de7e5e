"""The description of the API, and two pages that show it. All of it comes from our own host, and is open to all."""

from __future__ import annotations

import functools
import json
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.generic import TemplateView, View
from drf_spectacular.generators import SchemaGenerator


@functools.cache
def description() -> dict[str, Any]:
    """The OpenAPI document; made once, because the code does not change while it runs."""
    made = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(made, default=_plain))


def _plain(value: Any) -> float | str:
    return float(value) if isinstance(value, Decimal) else str(value)


class OpenApi(View):
    """The OpenAPI document as JSON."""

    http_method_names = ("get", "head")

    def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse(description(), headers={"Cache-Control": "no-cache"})


class Swagger(TemplateView):
    """Swagger UI: read, and try out with a key."""

    template_name = "api/swagger.html"


class ReDoc(TemplateView):
    """ReDoc: read."""

    template_name = "api/redoc.html"
