"""What htmx asks of views."""

from __future__ import annotations

from django.http import HttpRequest


def is_partial(request: HttpRequest) -> bool:
    """True when only a part of the page is wanted (boosted links want the whole)."""
    details = getattr(request, "htmx", None)
    return bool(details) and not details.boosted
