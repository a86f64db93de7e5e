"""Search: the page, and the same as the palette's list."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.core.htmx import is_partial
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404
from apps.portal.searching import LIMIT, PAGE_LIMIT, search_in


@require_GET
@login_required
def search(request: HttpRequest, organization: str) -> HttpResponse:
    """What matches `q` in the organization."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    partial = is_partial(request)
    groups = search_in(found, request.user, words, LIMIT if partial else PAGE_LIMIT)
    template = "portal/search_results.html" if partial else "portal/search.html"
    return render(request, template, {"organization": found, "words": words, "groups": groups})
