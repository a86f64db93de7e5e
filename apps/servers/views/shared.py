"""What several pages of this app need: the getter, which is the check for strangers, and forms that meet services."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.core.exceptions import Problem
from apps.orgs.access import require
from apps.orgs.querysets import get_visible_or_404
from apps.servers.models import Server


def get_server(request: HttpRequest, organization: str, server: str, code: str) -> Server:
    """The server in the address: 404 for a stranger, 403 for a member without the right `code`."""
    servers = Server.objects.select_related("organization", "ssh_key")
    found = get_visible_or_404(servers, request.user, organization__slug=organization, slug=server)
    require(request.user, code, found)
    return found


def show_problem(form: forms.Form, error: Problem | ValidationError) -> None:
    """What a service refused stands in the form, beside its field where the form has it."""
    if isinstance(error, Problem):
        form.add_error(None, f"{error.title} {error.what_to_do}")
    elif hasattr(error, "error_dict"):
        for name, errors in error.error_dict.items():
            form.add_error(name if name in form.fields else None, errors)
    else:
        form.add_error(None, error)
