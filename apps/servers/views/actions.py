"""What is done with a server from its page. Each works as a plain form, and in place with htmx."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.core.exceptions import Problem
from apps.core.htmx import is_partial
from apps.servers import facts, keys, services
from apps.servers.giving_up import give_up_server
from apps.servers.models import Server
from apps.servers.views.shared import get_server


@never_cache
@require_GET
@login_required
def host_key(request: HttpRequest, organization: str, server: str) -> HttpResponse:
    """The fingerprint that the server shows now, beside the pinned one, with the button that confirms it."""
    found = get_server(request, organization, server, "org.servers.update")
    context: dict[str, Any] = {"organization": found.organization, "server": found}
    try:
        context["host_key"] = services.scan_host_key(found.address, found.port)
        context["fingerprint"] = keys.fingerprint(context["host_key"])
    except Problem as problem:
        context["problem"] = problem
    return _part_or_page(request, "servers/host_key.html", context)


@require_POST
@login_required
def host_key_confirm(request: HttpRequest, organization: str, server: str) -> HttpResponse:
    """Pins the host key whose fingerprint the person saw."""
    found = get_server(request, organization, server, "org.servers.update")
    shown = request.POST.get("host_key", "")
    try:
        keys.fingerprint(shown)
    except (ValueError, IndexError) as error:
        raise BadRequest("This is no host key.") from error
    services.confirm_host_key(server=found, host_key=shown, actor=request.user)
    messages.success(request, f"The host key of {found.name} is confirmed: {found.host_key_fingerprint}")
    return redirect(found)


@require_POST
@login_required
def connection_test(request: HttpRequest, organization: str, server: str) -> HttpResponse:
    """Connects and reports what the server is, with what would stand in the way of preparing it."""
    found = get_server(request, organization, server, "org.servers.update")
    context: dict[str, Any] = {"organization": found.organization, "server": found}
    try:
        context["facts"] = services.test_connection(found)
        context["warnings"] = facts.warnings(context["facts"])
    except Problem as problem:
        context["problem"] = problem
    return _part_or_page(request, "servers/test.html", context)


@require_POST
@login_required
def prepare(request: HttpRequest, organization: str, server: str) -> HttpResponse:
    """Starts the preparation, which is then followed live on the server's page; with `take_over=yes` of a machine
    that belonged to a server which is gone."""
    found = get_server(request, organization, server, "org.servers.update")
    services.bootstrap(server=found, actor=request.user, take_over=request.POST.get("take_over") == "yes")
    return redirect(found)


@require_POST
@login_required
def sync(request: HttpRequest, organization: str, server: str) -> HttpResponse:
    """Looks at the server now and sets its status to the truth."""
    found = get_server(request, organization, server, "org.servers.update")
    services.sync(found)
    if found.status in (Server.Status.UNREACHABLE, Server.Status.ERROR):
        messages.error(request, f"{found.name}: {found.status_reason}")
    else:
        messages.success(request, f"{found.name} answers.")
    return redirect(found)


@require_POST
@login_required
def remove(request: HttpRequest, organization: str, server: str) -> HttpResponse:
    """Starts the removal, after its name was typed."""
    found = get_server(request, organization, server, "org.servers.delete")
    if request.POST.get("confirm_name", "").strip() != found.name:
        raise Problem("servers.name_mismatch", name=found.name)
    only_forget = request.POST.get("only_forget") == "yes"
    services.remove_server(server=found, actor=request.user, only_forget=only_forget)
    return redirect(found)


@require_POST
@login_required
def give_up(request: HttpRequest, organization: str, server: str) -> HttpResponse:
    """Gives up what was placed on a server that is gone for good, after the sentence was typed."""
    found = get_server(request, organization, server, "org.servers.delete")
    phrase = request.POST.get("phrase", "").strip()
    names = give_up_server(server=found, phrase=phrase, actor=request.user)
    told = f"Given up: {', '.join(names)}." if names else "Nothing was placed on it."
    messages.success(request, f"{found.name} is taken for gone. {told}")
    return redirect(found)


def _part_or_page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The part alone for htmx, in the page otherwise. A problem is part of the answer, so the answer is a success."""
    name = f"{template}#part" if is_partial(request) else template
    return render(request, name, context)
