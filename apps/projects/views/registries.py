"""Sign-ins for container registries, for the whole organization."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.core.exceptions import Problem
from apps.orgs.access import has_permission, require
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404
from apps.projects import credentials, services
from apps.projects.forms import NewSecretForm, RegistryAccountForm
from apps.projects.models import RegistryAccount
from apps.projects.views.shared import get_organization, show_problem


@require_GET
@login_required
def registry_list(request: HttpRequest, organization: str) -> HttpResponse:
    """Accounts and who uses them, never their passwords."""
    found = get_organization(request, organization)
    require(request.user, "org.git.list", found)
    return _page(request, found)


@require_POST
@login_required
def registry_add(request: HttpRequest, organization: str) -> HttpResponse:
    """Signs in for real before anything is stored."""
    found = get_organization(request, organization)
    require(request.user, "org.git.manage", found)
    form = RegistryAccountForm(request.POST)
    if form.is_valid():
        try:
            services.check_registry_account(RegistryAccount(organization=found, **form.cleaned_data))
            credentials.add_registry_account(organization=found, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, "The registry let us in, and the account is stored.")
            return redirect("projects:registries", organization)
    return _page(request, found, form)


@require_POST
@login_required
def registry_check(request: HttpRequest, organization: str, account: uuid.UUID) -> HttpResponse:
    """Signs in again with what is stored."""
    found = _get(request, organization, account)
    services.check_registry_account(found)
    messages.success(request, f"{found.host} let {found.username} in.")
    return redirect("projects:registries", organization)


@require_POST
@login_required
def registry_replace(request: HttpRequest, organization: str, account: uuid.UUID) -> HttpResponse:
    """A new password in the place of the old one."""
    found = _get(request, organization, account)
    form = NewSecretForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed: enter the new password of 4 to 4096 characters.")
    else:
        credentials.replace_password(account=found, password=form.cleaned_data["secret"], actor=request.user)
        messages.success(request, f"The password of {found} is replaced.")
    return redirect("projects:registries", organization)


@require_POST
@login_required
def registry_remove(request: HttpRequest, organization: str, account: uuid.UUID) -> HttpResponse:
    """Removes an account that no project uses."""
    found = _get(request, organization, account)
    credentials.remove_registry_account(account=found, actor=request.user)
    messages.success(request, f"The account {found} is removed.")
    return redirect("projects:registries", organization)


def _get(request: HttpRequest, organization: str, account: uuid.UUID) -> RegistryAccount:
    found = get_visible_or_404(RegistryAccount, request.user, organization__slug=organization, pk=account)
    require(request.user, "org.git.manage", found)
    return found


def _page(request: HttpRequest, organization: Organization, form: RegistryAccountForm | None = None) -> HttpResponse:
    context = {
        "organization": organization,
        "accounts": RegistryAccount.objects.filter(organization=organization).annotate(users=Count("projects")),
        "form": form or RegistryAccountForm(),
        "replace_form": NewSecretForm(),
        "may_manage": has_permission(request.user, "org.git.manage", organization),
    }
    has_errors = bool(form and form.errors)
    return render(request, "projects/registries.html", context, status=422 if has_errors else 200)
