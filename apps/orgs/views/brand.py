"""What pages and mails show of an organization's looks: its logo and the style sheet of its colour. Both are fetched
without a session (mail programs have none); their addresses change with what they show."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from apps.orgs.brand import style_sheet
from apps.orgs.models import OrganizationLogo

FOR_EVER = "public, max-age=31536000, immutable"


@require_GET
def style(request: HttpRequest, colour: str) -> HttpResponse:
    """The style sheet of a colour; it says nothing about anybody."""
    return HttpResponse(style_sheet(f"#{colour}"), content_type="text/css", headers={"Cache-Control": FOR_EVER})


@require_GET
def logo(request: HttpRequest, organization_id: uuid.UUID, version: str) -> HttpResponse:
    """The logo: only who knows its version gets it."""
    found = OrganizationLogo.objects.filter(organization_id=organization_id, organization__logo_version=version).first()
    if found is None:
        raise Http404
    headers = {"Cache-Control": FOR_EVER, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return HttpResponse(bytes(found.picture), content_type="image/png", headers=headers)
