"""What is done to a webhook by a button."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from apps.notifications import services
from apps.notifications.views.shared import get_webhook, keep_secret


@require_POST
@login_required
def webhook_pause(request: HttpRequest, organization: str, webhook: uuid.UUID) -> HttpResponse:
    """Stops it for now."""
    found = get_webhook(request, organization, webhook)
    services.pause_webhook(webhook=found, actor=request.user, reason="Paused by hand.")
    messages.success(request, f"The webhook {found} is paused. It misses what happens until you resume it.")
    return redirect(found)


@require_POST
@login_required
def webhook_resume(request: HttpRequest, organization: str, webhook: uuid.UUID) -> HttpResponse:
    """Lets it go on."""
    found = get_webhook(request, organization, webhook)
    services.resume_webhook(webhook=found, actor=request.user)
    messages.success(request, f"The webhook {found} is called again.")
    return redirect(found)


@require_POST
@login_required
def webhook_rotate(request: HttpRequest, organization: str, webhook: uuid.UUID) -> HttpResponse:
    """A new secret, shown on the page that follows, once."""
    found = get_webhook(request, organization, webhook)
    keep_secret(request, found, services.rotate_secret(webhook=found, actor=request.user))
    messages.success(request, "The secret is replaced. For 24 hours calls are signed with the old one as well.")
    return redirect(found)


@require_POST
@login_required
def webhook_test(request: HttpRequest, organization: str, webhook: uuid.UUID) -> HttpResponse:
    """Calls it with a test; the page that follows shows what came back."""
    found = get_webhook(request, organization, webhook)
    delivery = services.send_test(webhook=found, actor=request.user)
    return redirect("notifications:delivery", organization, found.pk, delivery.pk)


@require_POST
@login_required
def webhook_delete(request: HttpRequest, organization: str, webhook: uuid.UUID) -> HttpResponse:
    """Removes it with its log; its name is typed to confirm."""
    found = get_webhook(request, organization, webhook)
    if request.POST.get("confirm_name") != found.name:
        messages.error(request, "Nothing was removed: type the webhook's name to confirm.")
        return redirect(found)
    services.delete_webhook(webhook=found, actor=request.user)
    messages.success(request, f"The webhook {found} is removed.")
    return redirect("notifications:webhooks", organization)
