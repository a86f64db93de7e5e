"""One delivery: what was sent, every attempt, and sending it again."""

from __future__ import annotations

import json
import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.core import clock
from apps.core.htmx import is_partial
from apps.notifications import formats, services
from apps.notifications.models import Delivery
from apps.notifications.views.shared import get_webhook
from apps.orgs.querysets import get_visible_or_404


@require_GET
@login_required
def delivery_detail(request: HttpRequest, organization: str, webhook: uuid.UUID, delivery: uuid.UUID) -> HttpResponse:
    """Its state, the attempts, the body. While it is under way the page asks again by itself."""
    found = _get(request, organization, webhook, delivery)
    attempts = list(found.attempts.order_by("-number"))
    context = {
        "organization": found.webhook.organization,
        "webhook": found.webhook,
        "delivery": found,
        "attempts": attempts,
        "held": found.lease_expires_at is not None and found.lease_expires_at > clock.now(),
        "body": json.dumps(formats.render(found.webhook.format, found.event), ensure_ascii=False, indent=2),
    }
    template = "notifications/delivery.html#state" if is_partial(request) else "notifications/delivery.html"
    return render(request, template, context)


@require_POST
@login_required
def delivery_resend(request: HttpRequest, organization: str, webhook: uuid.UUID, delivery: uuid.UUID) -> HttpResponse:
    """Sends it again, under the same id."""
    found = _get(request, organization, webhook, delivery)
    services.resend(delivery=found, actor=request.user)
    messages.success(request, "It is sent again.")
    return redirect("notifications:delivery", organization, webhook, delivery)


def _get(request: HttpRequest, organization: str, webhook: uuid.UUID, delivery: uuid.UUID) -> Delivery:
    hook = get_webhook(request, organization, webhook)
    deliveries = Delivery.objects.select_related("event__actor").filter(webhook=hook)
    found = get_visible_or_404(deliveries, request.user, pk=delivery)
    found.webhook = hook
    return found
