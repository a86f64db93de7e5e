"""What is not there: the page for it, and the way on from an organization's earlier addresses."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.defaults import page_not_found

from apps.orgs.models import FormerSlug

_ORGANIZATION = re.compile(r"/o/(?P<slug>[a-z0-9-]{1,40})/(?P<rest>.*)", re.DOTALL)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404; or, for who may see the organization, its present address. Only reading leads on: nothing is sent twice."""
    match = _ORGANIZATION.fullmatch(request.path_info)
    user = getattr(request, "user", None)
    if match and request.method in ("GET", "HEAD") and user is not None:
        former = _former(user, match["slug"])
        if former is not None:
            query = request.META.get("QUERY_STRING", "")
            rest = request.get_full_path().split("?")[0].removeprefix(f"/o/{former.slug}/")
            return HttpResponseRedirect(f"/o/{former.organization.slug}/{rest}" + (f"?{query}" if query else ""))
    return page_not_found(request, exception)


def _former(user: Any, slug: str) -> FormerSlug | None:
    return FormerSlug.objects.visible_to(user).select_related("organization").filter(slug=slug).first()
