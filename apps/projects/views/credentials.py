"""What opens private repositories, for the whole organization."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.core.exceptions import Problem
from apps.orgs.access import has_permission, require
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404
from apps.projects import credentials, keys
from apps.projects.forms import DeployKeyForm, NewSecretForm, TokenForm
from apps.projects.models import GitCredential
from apps.projects.views.shared import get_organization, show_problem


@require_GET
@login_required
def credential_list(request: HttpRequest, organization: str) -> HttpResponse:
    """Tokens and deploy keys: what they are for and who uses them, never what they hold."""
    found = get_organization(request, organization)
    require(request.user, "org.git.list", found)
    return _page(request, found)


@require_POST
@login_required
def credential_add_token(request: HttpRequest, organization: str) -> HttpResponse:
    """Stores an access token."""
    found = get_organization(request, organization)
    require(request.user, "org.git.manage", found)
    form = TokenForm(request.POST)
    if form.is_valid():
        try:
            credentials.add_token(organization=found, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, "The token is stored. It is never shown again.")
            return redirect("projects:credentials", organization)
    return _page(request, found, token_form=form)


@require_POST
@login_required
def credential_add_key(request: HttpRequest, organization: str) -> HttpResponse:
    """Makes a deploy key; its public half is on the page."""
    found = get_organization(request, organization)
    require(request.user, "org.git.manage", found)
    form = DeployKeyForm(request.POST)
    if form.is_valid():
        try:
            credentials.generate_deploy_key(organization=found, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, "The deploy key is made. Add its public half to the Git server.")
            return redirect("projects:credentials", organization)
    return _page(request, found, key_form=form)


@require_POST
@login_required
def credential_replace(request: HttpRequest, organization: str, credential: uuid.UUID) -> HttpResponse:
    """A new token in the place of the old one."""
    found = _get(request, organization, credential)
    form = NewSecretForm(request.POST)
    if found.kind != GitCredential.Kind.TOKEN or not form.is_valid():
        messages.error(request, "Nothing was changed: enter the new token of 4 to 4096 characters.")
    else:
        credentials.replace_token(credential=found, token=form.cleaned_data["secret"], actor=request.user)
        messages.success(request, f"The token of {found} is replaced.")
    return redirect("projects:credentials", organization)


@require_POST
@login_required
def credential_forget_host_key(request: HttpRequest, organization: str, credential: uuid.UUID) -> HttpResponse:
    """The Git server's key is pinned anew at the next connection."""
    found = _get(request, organization, credential)
    credentials.forget_host_key(credential=found, actor=request.user)
    messages.success(request, "The host key is forgotten; the next connection pins the one it meets.")
    return redirect("projects:credentials", organization)


@require_POST
@login_required
def credential_remove(request: HttpRequest, organization: str, credential: uuid.UUID) -> HttpResponse:
    """Removes a credential that nothing uses."""
    found = _get(request, organization, credential)
    credentials.remove_credential(credential=found, actor=request.user)
    messages.success(request, f"The credential {found} is removed.")
    return redirect("projects:credentials", organization)


def _get(request: HttpRequest, organization: str, credential: uuid.UUID) -> GitCredential:
    found = get_visible_or_404(GitCredential, request.user, organization__slug=organization, pk=credential)
    require(request.user, "org.git.manage", found)
    return found


def _page(
    request: HttpRequest, organization: Organization, *, token_form: Form | None = None, key_form: Form | None = None
) -> HttpResponse:
    rows = GitCredential.objects.filter(organization=organization).annotate(users=Count("repositories"))
    described = [
        (row, [(line.split(" ", 1)[0], keys.fingerprint(line)) for line in row.known_host.splitlines()]) for row in rows
    ]
    context = {
        "organization": organization,
        "credentials": described,
        "token_form": token_form or TokenForm(),
        "key_form": key_form or DeployKeyForm(),
        "replace_form": NewSecretForm(),
        "may_manage": has_permission(request.user, "org.git.manage", organization),
    }
    has_errors = bool((token_form and token_form.errors) or (key_form and key_form.errors))
    return render(request, "projects/credentials.html", context, status=422 if has_errors else 200)
