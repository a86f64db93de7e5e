"""The webhooks of an organization: list, form, and one with its log."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from apps.core.exceptions import Problem
from apps.notifications import services
from apps.notifications.forms import WebhookForm
from apps.notifications.kinds import all_kinds
from apps.notifications.models import OutboxStatus, Webhook
from apps.notifications.reach import reached
from apps.notifications.views.shared import get_organization, get_webhook, keep_secret, take_secret

PAGE_SIZE = 25


@require_GET
@login_required
def webhook_list(request: HttpRequest, organization: str) -> HttpResponse:
    """All of them (there are at most 50) about what the person sees, and how each is doing."""
    found = get_organization(request, organization)
    rows = Webhook.objects.filter(organization=found).select_related("project")
    webhooks = reached(rows, request.user, found)
    return render(request, "notifications/webhooks.html", {"organization": found, "webhooks": webhooks})


@require_http_methods(["GET", "POST"])
@login_required
def webhook_add(request: HttpRequest, organization: str) -> HttpResponse:
    """A new webhook; its secret is shown on the page that follows, once."""
    found = get_organization(request, organization)
    form = WebhookForm(request.POST or None, person=request.user, organization=found)
    if request.method == "POST" and form.is_valid():
        try:
            webhook, secret = services.create_webhook(organization=found, actor=request.user, **form.cleaned_data)
        except (Problem, ValidationError) as error:
            _show(form, error)
        else:
            keep_secret(request, webhook, secret)
            messages.success(request, f"The webhook {webhook} is there. Send a test to see that it works.")
            return redirect(webhook)
    return _form(request, {"organization": found, "form": form, "title": "New webhook"})


@require_http_methods(["GET", "POST"])
@login_required
def webhook_edit(request: HttpRequest, organization: str, webhook: uuid.UUID) -> HttpResponse:
    """Everything of it may change but its secret, which is rotated."""
    found = get_webhook(request, organization, webhook)
    about = {"organization": found.organization, "webhook": found}
    form = WebhookForm(request.POST or None, person=request.user, **about)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_webhook(webhook=found, actor=request.user, **form.changes())
        except (Problem, ValidationError) as error:
            _show(form, error)
        else:
            messages.success(request, f"The webhook {found} is changed.")
            return redirect(found)
    return _form(request, about | {"form": form, "title": f"Change {found}"})


@require_GET
@login_required
def webhook_detail(request: HttpRequest, organization: str, webhook: uuid.UUID) -> HttpResponse:
    """One webhook, what it is called for, and its log."""
    found = get_webhook(request, organization, webhook)
    deliveries = found.deliveries.select_related("event")
    status = request.GET.get("status", "")
    if status in OutboxStatus.values:
        deliveries = deliveries.filter(status=status)
    titles = {kind.name: kind.title for kind in all_kinds()}
    context = {
        "organization": found.organization,
        "webhook": found,
        "secret": take_secret(request, found),
        "events": [(name, titles.get(name, name)) for name in found.events],
        "page": Paginator(deliveries, PAGE_SIZE).get_page(request.GET.get("page")),
        "statuses": OutboxStatus.choices,
        "status": status,
    }
    return render(request, "notifications/webhook.html", context)


def _form(request: HttpRequest, context: dict) -> HttpResponse:
    status = 422 if context["form"].errors else 200
    return render(request, "notifications/webhook_form.html", context, status=status)


def _show(form: forms.Form, error: Problem | ValidationError) -> None:
    """What the service refused stands beside its field, where there is one."""
    if isinstance(error, Problem):
        name = {"core": "url", "notifications.name_taken": "name"}
        field = name.get(error.code, name.get(error.code.split(".")[0]))
        form.add_error(field, f"{error.title} {error.what_to_do}")
        return
    for name, errors in error.message_dict.items():
        form.add_error(name if name in form.fields else None, errors)
