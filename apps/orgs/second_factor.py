"""Organizations that ask for a second factor: nobody enters them by a password alone. API keys are no people, and are
not asked."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.db.models import Exists
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from apps.core.htmx import is_partial
from apps.core.request_context import current
from apps.orgs.models import Organization
from apps.orgs.scope import Scope, narrow

# These ask for themselves. Pages below /account/, where one sets a factor up and signs out, name no organization: they
# stay open, and show nothing of those that are closed.
OPEN_TO_ALL = ("/admin/", "/api/")


def closed_organizations(user: Any, signed_in: Any = None) -> list[Organization]:
    """Those that ask for a second factor, where the one who is signed in (other than `user` when staff look through
    the person's eyes) has none. One query."""
    factors = Authenticator.objects.filter(user_id=(signed_in or user).pk)
    alone = ~Exists(factors.exclude(type=Authenticator.Type.RECOVERY_CODES))
    return list(Organization.objects.visible_to(user).filter(alone, require_second_factor=True))


def keep_out(user: Any, signed_in: Any = None) -> list[Organization]:
    """Narrows the user object to the organizations that are open to the person as they are signed in; returns the
    others."""
    closed = closed_organizations(user, signed_in)
    if closed:
        others = Organization.objects.visible_to(user).exclude(pk__in=[one.pk for one in closed])
        narrow(user, Scope(organization_ids=frozenset(others.values_list("pk", flat=True))))
    return closed


class SecondFactorRequired:
    """Leads a member without a second factor to set one up, and hides what belongs to the organization meanwhile."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> HttpResponse | None:
        if not request.user.is_authenticated or request.path.startswith(OPEN_TO_ALL):
            return None
        context = current()
        closed = keep_out(request.user, context.viewer if context else None)
        named = next((one for one in closed if one.slug == kwargs.get("organization")), None)
        if named is None:
            return None
        text = f"{named} asks for a second factor. Set up codes from an app, or a passkey; then you are let in."
        messages.warning(request, text)
        if is_partial(request):
            return HttpResponseClientRedirect(reverse("accounts:security"))
        return redirect("accounts:security")


second_factor_required = SecondFactorRequired
