"""What every template gets."""

from __future__ import annotations

from django.http import HttpRequest

from apps.portal.navigation import Navigation


def navigation(request: HttpRequest) -> dict[str, Navigation]:
    """`navigation`: where the person is and can go; costs nothing until a template uses it."""
    return {"navigation": Navigation(request)}
