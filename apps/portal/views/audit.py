"""The audit trail of an organization. These pages stand here because the audit app itself knows no organizations."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.functional import cached_property
from django.views.decorators.http import require_GET

from apps.audit import services
from apps.audit.export import csv_response
from apps.audit.forms import AuditFilter
from apps.audit.models import Event, actions_of
from apps.orgs.access import require
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404

PAGE_SIZE = 50
# A page that counts every event of a busy year, or leaves out a hundred thousand of them, takes its time.
MOST_SHOWN = 10_000


class NewestPages(Paginator):
    """Pages of the newest MOST_SHOWN events; older ones are found by their days."""

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[:MOST_SHOWN].count()


@require_GET
@login_required
def audit(request: HttpRequest, organization: str) -> HttpResponse:
    """Who did what, the newest first; by person, action, object and days."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.audit.view", found)
    form = AuditFilter(request.GET)
    events = _events(found)
    context = {
        "organization": found,
        "form": form,
        "page": NewestPages(form.apply(events), PAGE_SIZE).get_page(request.GET.get("page")),
        "actions": actions_of(found.pk),
        "most": MOST_SHOWN,
        "retention_days": found.audit_retention_days,
    }
    return render(request, "portal/audit.html", context, status=200 if form.is_valid() else 422)


@require_GET
@login_required
def audit_export(request: HttpRequest, organization: str) -> HttpResponseBase:
    """What the page shows, all pages of it, as CSV. That it was taken out stands in the trail as well."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.audit.view", found)
    form = AuditFilter(request.GET)
    if not form.is_valid():
        return audit(request, organization)
    asked = {name: str(value) for name, value in form.cleaned_data.items() if value}
    services.record(
        action="audit.exported", actor=request.user, organization_id=found.pk, target=found, after={"filter": asked}
    )
    return csv_response(request, form.apply(_events(found)), name=f"audit-{found.slug}")


def _events(organization: Organization) -> QuerySet[Event]:
    return Event.objects.filter(organization_id=organization.pk).order_by("-created_at")
