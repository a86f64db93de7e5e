"""The portal's page of API keys."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.api import keys
from apps.api.forms import ApiKeyForm
from apps.api.models import ApiKey
from apps.core.exceptions import Problem
from apps.environments.views.shared import show_problem
from apps.orgs.decorators import require_permission
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404

PAGE_SIZE = 50
MANAGE = "org.api_keys.manage"


def find_key(user: Any, *, organization: str, key: uuid.UUID) -> ApiKey:
    """The key in the address; 404 for a stranger."""
    return get_visible_or_404(
        ApiKey.objects.select_related("organization"), user, organization__slug=organization, pk=key
    )


@never_cache
@require_http_methods(["GET", "POST"])
@require_permission(MANAGE)
def key_list(request: HttpRequest, organization: Organization) -> HttpResponse:
    """All keys, and a new one, whose text is in the answer and nowhere else."""
    form = ApiKeyForm(request.POST or None, organization=organization, person=request.user)
    made = text = None
    if request.method == "POST" and form.is_valid():
        try:
            made, text = keys.create_key(organization=organization, actor=request.user, **form.values())
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            form = ApiKeyForm(organization=organization, person=request.user)
    rows = ApiKey.objects.visible_to(request.user).in_organization(organization)
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(created_by__email__icontains=words) | Q(last_four=words[-4:]))
    rows = rows.select_related("project", "created_by").order_by("-created_at", "-pk")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"organization": organization, "form": form, "page": page, "made": made, "text": text, "words": words}
    return render(request, "api/keys.html", context, status=422 if form.errors else 200)


@require_POST
@require_permission(MANAGE, find_key)
def key_revoke(request: HttpRequest, key: ApiKey) -> HttpResponse:
    """Takes a key out of use."""
    keys.revoke_key(key=key, actor=request.user)
    messages.success(request, f"The key {key.name} ({key.hint}) is revoked: it opens nothing any more.")
    return redirect("keys:list", key.organization.slug)
