"""The person's own page."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.avatars import remove_avatar, set_avatar
from apps.accounts.models import User
from apps.audit import services as audit
from apps.orgs.models import Membership
from apps.portal.forms import AccountForm
from apps.portal.navigation import THEME_COOKIE

PROFILE = ["display_name", "time_zone", "theme", "avatar_version"]
PAGE_SIZE = 50
ONE_YEAR = 365 * 24 * 3600


@require_http_methods(["GET", "POST"])
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Name, time zone, theme; the ways to sign in are allauth's pages beside it."""
    before = audit.snapshot(request.user, PROFILE)
    form = AccountForm(request.POST or None, request.FILES or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            _save(form, request.user)
            after = audit.snapshot(request.user, PROFILE)
            audit.record(action="account.changed", actor=request.user, target=request.user, before=before, after=after)
        messages.success(request, "Your account is changed.")
        return redirect("portal:account")
    memberships = Membership.objects.filter(user=request.user).select_related("organization")
    page = Paginator(memberships.order_by("organization__name"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page}
    return render(request, "portal/account.html", context, status=422 if form.errors else 200)


def _save(form: AccountForm, user: User) -> None:
    form.save()
    if form.cleaned_data["picture"]:
        set_avatar(user=user, picture=form.cleaned_data["picture"])
    elif form.cleaned_data.get("remove_picture"):
        remove_avatar(user=user)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Stores the theme: with the person, or in a cookie before sign-in. Goes back to where it was chosen."""
    chosen = request.POST.get("theme", "")
    if chosen not in User.Theme.values:
        return HttpResponseBadRequest("The theme is light, dark or system.", content_type="text/plain")
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        target = "/"
    response = redirect(target)
    response.set_cookie(THEME_COOKIE, chosen, max_age=ONE_YEAR, samesite="Lax", secure=request.is_secure())
    if request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).update(theme=chosen)
    return response
