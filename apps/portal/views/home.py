"""Home, and the organization itself."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from apps.core.exceptions import Problem
from apps.orgs import services
from apps.orgs.access import require
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404
from apps.portal.dashboard import dashboard_for
from apps.portal.forms import OrganizationForm
from apps.portal.navigation import Navigation


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Leads to the organization that the person was in last, or to making the first one."""
    organization = Navigation(request).organization
    if organization is None:
        return redirect("admin:index" if request.user.is_superuser else "portal:organization_create")
    return redirect(organization)


@require_GET
@login_required
def organization(request: HttpRequest, organization: str) -> HttpResponse:
    """The environments of an organization, what needs a person first."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.view", found)
    context = {"organization": found, "dashboard": dashboard_for(found, request.user, request.GET.get("page"))}
    return render(request, "portal/home.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def organization_create(request: HttpRequest) -> HttpResponse:
    """Makes an organization, whose Owner the person becomes."""
    form = OrganizationForm(request.POST or None)
    if form.is_valid():
        try:
            made = services.create_organization(owner=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        except Problem as problem:
            form.add_error("slug", f"{problem.title} {problem.what_to_do}")
        else:
            return redirect(made)
    return render(request, "portal/organization_create.html", {"form": form}, status=422 if form.errors else 200)
