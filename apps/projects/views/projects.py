"""The list of projects, a new project, its settings, its end. The project's own page shows its environments and stands
in their app."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.exceptions import Problem
from apps.orgs.access import has_permission, require
from apps.projects import credentials, services
from apps.projects.forms import ProjectForm, ProjectSettingsForm
from apps.projects.models import OdooVersion, Project
from apps.projects.views.shared import (
    chosen_credential,
    get_organization,
    get_project,
    show_problem,
    unsaved_credential,
)

PAGE_SIZE = 50
SORTS = ("name", "-name", "odoo_version", "-odoo_version", "created_at", "-created_at")


@require_GET
@login_required
def project_list(request: HttpRequest, organization: str) -> HttpResponse:
    """All projects of the organization, by words and version."""
    found = get_organization(request, organization)
    require(request.user, "org.projects.list", found)
    projects = Project.objects.visible_to(request.user).filter(organization=found)
    words = request.GET.get("q", "").replace("\0", "").strip()
    version, sort = request.GET.get("version", ""), request.GET.get("sort", "name")
    if words:
        projects = projects.filter(name__icontains=words) | projects.filter(slug__icontains=words)
    if version in OdooVersion.values:
        projects = projects.filter(odoo_version=version)
    projects = projects.prefetch_related("repositories").order_by(sort if sort in SORTS else "name")
    context = {
        "organization": found,
        "page": Paginator(projects, PAGE_SIZE).get_page(request.GET.get("page")),
        "versions": OdooVersion.choices,
        "is_filtered": bool(words or version),
        "may_create": has_permission(request.user, "org.projects.create", found),
    }
    return render(request, "projects/list.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def project_create(request: HttpRequest, organization: str) -> HttpResponse:
    """A new project on one page. Its buttons: create, list the branches, make a deploy key."""
    found = get_organization(request, organization)
    require(request.user, "org.projects.create", found)
    context: dict[str, Any] = {"organization": found}
    if request.method == "POST" and "generate_key" in request.POST:
        return _with_new_key(request, found, context)
    form = ProjectForm(request.POST or None, organization=found)
    if request.method == "POST" and form.is_valid():
        if "check" in request.POST:
            context |= _branches(form)
        else:
            project = _create(request, form)
            if project is not None:
                messages.success(request, f"The project {project} is created. Its first environment is next.")
                return redirect("environments:create", found.slug, project.slug)
    context["form"] = form
    return render(request, "projects/create.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def branches(request: HttpRequest, organization: str) -> HttpResponse:
    """The part of the form that lists a repository's branches, asked live."""
    found = get_organization(request, organization)
    require(request.user, "org.projects.create", found)
    form = ProjectForm(request.POST, organization=found)
    form.is_valid()
    interesting = {name: form.errors[name] for name in ("url", "credential", "token", "__all__") if name in form.errors}
    context = {"errors": interesting} if interesting else _branches(form)
    return render(request, "projects/_branches.html", context, status=422 if interesting else 200)


@require_http_methods(["GET", "POST"])
@login_required
def project_settings(request: HttpRequest, organization: str, project: str) -> HttpResponse:
    """Name, version, image, modules; the repositories; the end of the project."""
    found = get_project(request, organization, project)
    require(request.user, "project.view" if request.method == "GET" else "project.update", found)
    form = ProjectSettingsForm(request.POST or None, instance=get_project(request, organization, project))
    if request.method == "POST" and form.is_valid():
        try:
            services.update_project(project=found, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, "The settings are saved.")
            return redirect("projects:settings", organization, project)
    context = {
        "organization": found.organization,
        "project": found,
        "form": form,
        "repositories": found.repositories.select_related("credential"),
        "may_update": has_permission(request.user, "project.update", found),
        "may_manage_repositories": has_permission(request.user, "project.repos.manage", found),
        "may_delete": has_permission(request.user, "project.delete", found),
    }
    return render(request, "projects/settings.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def project_delete(request: HttpRequest, organization: str, project: str) -> HttpResponse:
    """Deletes a project of which nothing runs any more; its short name is typed to confirm."""
    found = get_project(request, organization, project)
    require(request.user, "project.delete", found)
    services.delete_project(project=found, confirmation=request.POST.get("confirm_name", ""), actor=request.user)
    messages.success(request, f"The project {found} is deleted.")
    return redirect("projects:list", organization)


def _create(request: HttpRequest, form: ProjectForm) -> Project | None:
    """The project, or None with the errors in the form; a token that came with it is stored with it or not at all."""
    data = form.cleaned_data
    try:
        with transaction.atomic():
            return services.create_project(
                organization=form.organization,
                name=data["name"],
                slug=data["slug"],
                odoo_version=data["odoo_version"],
                repository_url=data["url"],
                branch=data["branch"],
                credential=chosen_credential(request, form),
                actor=request.user,
            )
    except (Problem, ValidationError) as error:
        show_problem(form, error)
        return None


def _with_new_key(request: HttpRequest, organization: Any, context: dict[str, Any]) -> HttpResponse:
    """The same page with what was typed, a new deploy key chosen, and its public half to copy."""
    require(request.user, "org.git.manage", organization)
    wanted = f"Deploy key for {request.POST.get('name', '').strip() or 'a new project'}"[:70]
    name = credentials.free_name(organization, wanted if wanted.isprintable() else "Deploy key")
    key = credentials.generate_deploy_key(organization=organization, name=name, actor=request.user)
    typed = request.POST.copy()
    typed["credential"] = str(key.pk)
    form = ProjectForm(initial=typed.dict(), organization=organization)
    return render(request, "projects/create.html", context | {"form": form, "new_key": key})


def _branches(form: ProjectForm) -> dict[str, Any]:
    if not form.cleaned_data.get("url"):
        return {"errors": {"url": ["Enter the address of the repository first."]}}
    try:
        found = services.check_repository(url=form.cleaned_data["url"], credential=unsaved_credential(form))
    except Problem as problem:
        return {"problem": problem}
    return {"branches": found, "checked": True}
