"""What several pages of this app need: the getters, which are the check for strangers, and forms that meet services."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.core.exceptions import Problem
from apps.orgs.access import require
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404
from apps.projects import credentials
from apps.projects.models import GitCredential, Project, Repository
from apps.projects.validators import host_of


def get_organization(request: HttpRequest, slug: str) -> Organization:
    """The organization in the address; 404 for a stranger."""
    return get_visible_or_404(Organization, request.user, slug=slug)


def get_project(request: HttpRequest, organization: str, project: str) -> Project:
    """The project in the address; 404 for a stranger."""
    projects = Project.objects.select_related("organization", "registry_account")
    return get_visible_or_404(projects, request.user, organization__slug=organization, slug=project)


def get_repository(request: HttpRequest, organization: str, project: str, repository: object) -> Repository:
    """The repository in the address; 404 for a stranger."""
    repositories = Repository.objects.select_related("project__organization", "credential")
    lookup = {"project__organization__slug": organization, "project__slug": project, "pk": repository}
    return get_visible_or_404(repositories, request.user, **lookup)


def show_problem(form: forms.Form, error: Problem | ValidationError) -> None:
    """What a service refused stands in the form, beside its field where the form has it."""
    if isinstance(error, Problem):
        form.add_error(None, f"{error.title} {error.what_to_do}")
        return
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)


def chosen_credential(request: HttpRequest, form: forms.Form) -> GitCredential | None:
    """The credential that the form names; a new token becomes one. Raises PermissionDenied for somebody who may not
    manage credentials, and what `add_token` raises."""
    data = form.cleaned_data
    if not data.get("token"):
        return data.get("credential")
    require(request.user, "org.git.manage", form.organization)
    host = host_of(data["url"])
    return credentials.add_token(
        organization=form.organization,
        name=credentials.free_name(form.organization, f"Token for {host}"[:70]),
        host=host,
        username=data.get("username", ""),
        token=data["token"],
        actor=request.user,
    )


def unsaved_credential(form: forms.Form) -> GitCredential | None:
    """The same for a check, without storing anything."""
    data = form.cleaned_data
    if not data.get("token"):
        return data.get("credential")
    return GitCredential(
        kind=GitCredential.Kind.TOKEN,
        host=host_of(data["url"]),
        username=data.get("username", ""),
        token=data["token"],
    )
