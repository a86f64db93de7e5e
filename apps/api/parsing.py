"""The body of a request: JSON, of a bounded size and depth."""

from __future__ import annotations

import codecs
import json
from typing import Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser


class BodyTooLarge(APIException):
    """Larger than anything that the API takes."""

    status_code = 413
    default_code = "body_too_large"


class JsonParser(BaseParser):
    """Strict JSON in UTF-8. Raises ParseError `malformed_json`, BodyTooLarge."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = settings.API_BODY_BYTES
        content = stream.read(limit + 1)
        if len(content) > limit:
            raise BodyTooLarge(f"A request has at most {limit} bytes.")
        try:
            found = json.loads(codecs.decode(content, "utf-8"), parse_constant=_refuse)
            # Half a surrogate pair can be written in JSON, and is no text: nothing could store or repeat it.
            json.dumps(found, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON: {str(error)!a}", code="malformed_json") from error
        return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
