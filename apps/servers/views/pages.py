"""The list of servers, a new one, one server, its settings."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from apps.core.exceptions import Problem
from apps.operations.models import Operation
from apps.operations.views import steps_context
from apps.orgs.access import has_permission, require
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404
from apps.servers import services
from apps.servers.forms import ServerForm, ServerSettingsForm
from apps.servers.giving_up import expected_phrase
from apps.servers.models import Server
from apps.servers.objections import placed_on
from apps.servers.views.shared import get_server, show_problem

PAGE_SIZE = 50
SORTS = ("name", "-name", "status", "-status", "address", "-address", "last_seen_at", "-last_seen_at")
RECENT_OPERATIONS = 10


@require_GET
@login_required
def server_list(request: HttpRequest, organization: str) -> HttpResponse:
    """All servers of the organization, by words and status."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.servers.list", found)
    servers = Server.objects.visible_to(request.user).filter(organization=found).select_related("organization")
    words = request.GET.get("q", "").replace("\0", "").strip()
    status, sort = request.GET.get("status", ""), request.GET.get("sort", "name")
    if words:
        servers = servers.filter(Q(name__icontains=words) | Q(slug__icontains=words) | Q(address__icontains=words))
    if status in Server.Status.values:
        servers = servers.filter(status=status)
    context = {
        "organization": found,
        "page": Paginator(servers.order_by(sort if sort in SORTS else "name"), PAGE_SIZE).get_page(
            request.GET.get("page")
        ),
        "statuses": Server.Status.choices,
        "is_filtered": bool(words or status),
        "may_create": has_permission(request.user, "org.servers.create", found),
    }
    return render(request, "servers/list.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def server_add(request: HttpRequest, organization: str) -> HttpResponse:
    """A new server. What follows (its key, its host key, a test, the preparation) happens on its own page."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.servers.create", found)
    form = ServerForm(request.POST or None, organization=found, instance=Server(organization=found))
    if request.method == "POST" and form.is_valid():
        try:
            server = services.add_server(
                organization=found, actor=request.user, **form.settings(), **form.key_arguments()
            )
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, f"{server.name} is added. Three small steps are left.")
            return redirect(server)
    context = {"organization": found, "form": form}
    return render(request, "servers/add.html", context, status=422 if form.errors else 200)


@require_GET
@login_required
def server_detail(request: HttpRequest, organization: str, server: str) -> HttpResponse:
    """One server: what it is, who takes what of it, what happens there; for a new one, the steps that are left."""
    found = get_server(request, organization, server, "org.servers.list")
    operations = Operation.objects.about(found)
    active = operations.active().first()
    context = {
        "organization": found.organization,
        "server": found,
        "operations": operations.order_by("-created_at")[:RECENT_OPERATIONS],
        "may_update": has_permission(request.user, "org.servers.update", found),
        "may_delete": has_permission(request.user, "org.servers.delete", found),
        "may_take_over": _was_refused_as_forgotten(found),
        "setup": _setup_step(found),
        "facts": found.facts,
        **(steps_context(request, active) if active else {}),
    }
    return render(request, "servers/detail.html", context)


def _was_refused_as_forgotten(server: Server) -> bool:
    """The last preparation found a machine that belonged to a server which is gone."""
    last = Operation.objects.about(server).filter(kind="servers.bootstrap").order_by("-created_at").first()
    return last is not None and last.error_code == "servers.owner_forgotten"


def _setup_step(server: Server) -> int:
    """How far a new server is: 1 its key is to be added and the host key confirmed, 2 to be tested and prepared,
    3 it is being prepared or was; 0 when nothing is left."""
    if server.host_key and (server.bootstrapped_at or server.is_ready):
        return 0
    if not server.host_key:
        return 1
    return 3 if server.status == Server.Status.CONNECTING else 2


@require_http_methods(["GET", "POST"])
@login_required
def server_settings(request: HttpRequest, organization: str, server: str) -> HttpResponse:
    """Name, address, key, ports, network range, overcommit; and the way out."""
    found = get_server(request, organization, server, "org.servers.update")
    # The form writes into its instance before the service decides: it gets one of its own.
    mine = Server.objects.select_related("organization", "ssh_key").get(pk=found.pk)
    form = ServerSettingsForm(request.POST or None, instance=mine)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_server(server=found, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            show_problem(form, error)
        else:
            messages.success(request, "The settings are saved.")
            return redirect(found)
    context: dict[str, Any] = {
        "organization": found.organization,
        "server": found,
        "form": form,
        "may_delete": has_permission(request.user, "org.servers.delete", found),
        "placed": placed_on(found),
        "phrase": expected_phrase(found),
    }
    return render(request, "servers/settings.html", context, status=422 if form.errors else 200)
