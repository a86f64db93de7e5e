"""What the pages of webhooks need: the getters, which are the check for strangers, and secrets that are shown once."""

from __future__ import annotations

import uuid

from django.http import HttpRequest

from apps.core import keyring
from apps.notifications.models import Webhook
from apps.notifications.reach import ensure_reached
from apps.orgs.access import require
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404

MANAGE = "org.webhooks.manage"
_CONTEXT = "notifications.shown_once"


def get_organization(request: HttpRequest, slug: str) -> Organization:
    """The organization in the address, where the person manages webhooks: 404 for a stranger, 403 for a member."""
    found = get_visible_or_404(Organization, request.user, slug=slug)
    require(request.user, MANAGE, found)
    return found


def get_webhook(request: HttpRequest, organization: str, webhook: uuid.UUID) -> Webhook:
    """The same for a webhook."""
    webhooks = Webhook.objects.select_related("organization", "project", "created_by")
    found = get_visible_or_404(webhooks, request.user, organization__slug=organization, pk=webhook)
    require(request.user, MANAGE, found)
    ensure_reached(request.user, found.organization, found.project)
    return found


def keep_secret(request: HttpRequest, webhook: Webhook, secret: str) -> None:
    """Keeps a secret for the next page, encrypted: sessions are stored."""
    request.session[_key(webhook)] = keyring.encrypt(secret, context=_CONTEXT)


def take_secret(request: HttpRequest, webhook: Webhook) -> str:
    """The secret that was kept, once; empty else."""
    kept = request.session.pop(_key(webhook), "")
    return keyring.decrypt(kept, context=_CONTEXT) if kept else ""


def _key(webhook: Webhook) -> str:
    return f"webhook_secret_{webhook.pk}"
