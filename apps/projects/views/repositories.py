"""Repositories of a project."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.exceptions import Problem
from apps.core.validators import validate_git_reference
from apps.orgs.access import require
from apps.projects import git, services
from apps.projects.forms import RepositoryForm
from apps.projects.views.shared import chosen_credential, get_project, get_repository, show_problem


@require_http_methods(["GET", "POST"])
@login_required
def repository_add(request: HttpRequest, organization: str, project: str) -> HttpResponse:
    """One more repository: modules for all environments, or Odoo Enterprise."""
    found = get_project(request, organization, project)
    require(request.user, "project.repos.manage", found)
    form = RepositoryForm(request.POST or None, organization=found.organization)
    if request.method == "POST" and form.is_valid():
        values = form.values()
        try:
            with transaction.atomic():
                values["credential"] = chosen_credential(request, form)
                kind = form.cleaned_data["kind"]
                repository = services.add_repository(project=found, kind=kind, actor=request.user, **values)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, f"The repository {repository} is added; the next deployment takes it along.")
            return redirect("projects:settings", organization, project)
    context = {"organization": found.organization, "project": found, "form": form}
    return render(request, "projects/repository.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@login_required
def repository_edit(request: HttpRequest, organization: str, project: str, repository: uuid.UUID) -> HttpResponse:
    """Address, branches, credential, order."""
    found = get_repository(request, organization, project, repository)
    require(request.user, "project.repos.manage", found)
    form = RepositoryForm(
        request.POST or None, organization=found.organization, initial=RepositoryForm.initial_of(found)
    )
    # What a repository is for does not change: it would be another one.
    form.fields["kind"].disabled = True
    if request.method == "POST" and form.is_valid():
        values = form.values()
        try:
            with transaction.atomic():
                values["credential"] = chosen_credential(request, form)
                values["name"] = values["name"] or found.name
                services.update_repository(repository=found, actor=request.user, **values)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, f"The repository {found} is changed; the next deployment applies it.")
            return redirect("projects:settings", organization, project)
    context = {"organization": found.organization, "project": found.project, "repository": found, "form": form}
    return render(request, "projects/repository.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def repository_check(request: HttpRequest, organization: str, project: str, repository: uuid.UUID) -> HttpResponse:
    """Asks the Git server for the branches of a stored repository."""
    found = get_repository(request, organization, project, repository)
    require(request.user, "project.repos.manage", found)
    context: dict[str, object] = {"checked": True}
    try:
        context["branches"] = git.list_branches(found)
    except Problem as problem:
        context["problem"] = problem
    return render(request, "projects/_branches.html", context)


@require_POST
@login_required
def repository_remove(request: HttpRequest, organization: str, project: str, repository: uuid.UUID) -> HttpResponse:
    """Takes a repository out of the project."""
    found = get_repository(request, organization, project, repository)
    require(request.user, "project.repos.manage", found)
    services.remove_repository(repository=found, actor=request.user)
    messages.success(request, f"The repository {found} is removed; the next deployment leaves it out.")
    return redirect("projects:settings", organization, project)


@require_GET
@login_required
def commits(request: HttpRequest, organization: str, project: str) -> HttpResponse:
    """A part of a page: the newest commits of one branch of the primary repository, as far as they were fetched."""
    found = get_project(request, organization, project)
    require(request.user, "project.view", found)
    branch = request.GET.get("branch", found.default_branch)
    try:
        validate_git_reference(branch)
    except ValidationError:
        return render(request, "projects/_commits.html", {"commits": []}, status=422)
    repository = found.primary_repository
    newest = git.log(repository, f"refs/heads/{branch}", limit=5) if repository else []
    return render(request, "projects/_commits.html", {"commits": newest, "branch": branch})
