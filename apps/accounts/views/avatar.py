"""Sending people's pictures."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.accounts.models import Avatar

FOR_A_YEAR = "private, max-age=31536000, immutable"


@require_safe
@login_required
def avatar(request: HttpRequest, person: uuid.UUID, version: str) -> HttpResponse:
    """The picture: to whoever is signed in and knows its version, which pages tell to the person's colleagues alone."""
    found = Avatar.objects.filter(user_id=person, user__avatar_version=version).first()
    if found is None:
        raise Http404
    headers = {"Cache-Control": FOR_A_YEAR, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return HttpResponse(bytes(found.picture), content_type="image/png", headers=headers)
