"""The page about an environment's name: record, certificate, ledger, and a look at how things are right now."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from apps.core.htmx import is_partial
from apps.domains import checking, issuing
from apps.domains.panel import panel_for
from apps.environments.models import Environment
from apps.environments.views.shared import frame, get_environment
from apps.orgs.access import has_permission, require


@require_safe
@login_required
def domains(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """Read from our books; nothing outside is asked."""
    found = get_environment(request, organization, project, environment)
    require(request.user, "project.environments.view", found)
    return _page(request, found)


@require_POST
@login_required
def check(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """Looks now, and shows what was seen."""
    found = get_environment(request, organization, project, environment)
    require(request.user, "project.environments.view", found)
    findings = checking.check_name(found)
    if is_partial(request):
        return render(request, "domains/_findings.html", {"findings": findings})
    return _page(request, found, findings=findings)


@require_POST
@login_required
def order(request: HttpRequest, organization: str, project: str, environment: str) -> HttpResponse:
    """Tries the environment's own certificate again now. A shared one is the platform's to order."""
    found = get_environment(request, organization, project, environment)
    require(request.user, "project.environments.domains.manage", found)
    certificate = panel_for(found).certificate
    here = reverse("domains:domains", args=[organization, project, environment])
    if certificate is None or certificate.is_shared or certificate.organization_id != found.organization.pk:
        messages.error(request, "There is no certificate of this environment's own to order.")
        return redirect(here)
    operation = issuing.queue_issue(certificate, user=request.user)
    if operation is None:
        messages.info(request, "The certificate is being ordered already.")
        return redirect(here)
    return redirect(f"/operations/{operation.pk}/")


def _page(request: HttpRequest, environment: Environment, **more: object) -> HttpResponse:
    may_order = has_permission(request.user, "project.environments.domains.manage", environment)
    context = frame(request, environment) | {"panel": panel_for(environment), "may_order": may_order, **more}
    return render(request, "domains/domains.html", context)
