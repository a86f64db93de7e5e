"""Webhooks: every write. What a page and the API call alike."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.core.fields import unreadable
from apps.notifications.bell import ring_on_commit
from apps.notifications.models import Delivery, Event, Format, OutboxStatus, Webhook
from apps.notifications.publishing import payload_of
from apps.notifications.reach import ensure_reached
from apps.notifications.signing import new_secret
from apps.notifications.validators import clean_events, ensure_callable
from apps.orgs.models import Organization
from apps.projects.models import Project

MOST_WEBHOOKS = 50
ROTATION = timedelta(hours=24)
_AUDITED = ("name", "format", "events", "project", "host")


def create_webhook(
    *,
    organization: Organization,
    name: str,
    url: str,
    events: Iterable[str],
    actor: User,
    project: Project | None = None,
    format: str = Format.RAW,  # noqa: A002 (the field's name)
) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is not given out again.

    Raises ValidationError (by field); Problem `core.address_not_allowed`, `core.address_unknown`,
    `notifications.too_many_webhooks`, `notifications.project_elsewhere`, `notifications.beyond_own_projects`; Conflict
    `notifications.name_taken`.
    """
    ensure_callable(url)
    webhook = Webhook(
        organization=organization,
        project=project,
        name=name,
        url=url,
        events=clean_events(events),
        format=format,
        secret=new_secret(),
        created_by=actor,
    )
    _check(webhook)
    ensure_reached(actor, organization, project)
    with transaction.atomic():
        # One at a time per organization: the limit holds when several are made at once.
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        if Webhook.objects.filter(organization=organization).count() >= MOST_WEBHOOKS:
            raise Problem("notifications.too_many_webhooks", most=MOST_WEBHOOKS)
        _save(webhook)
        _record("webhook.added", webhook, actor, after=_snapshot(webhook))
    return webhook, webhook.secret


def update_webhook(*, webhook: Webhook, actor: User, **changes: Any) -> Webhook:
    """Changes any of name, url, events, format, project (None: the whole organization). Raises what `create_webhook`
    does; TypeError for another field."""
    unknown = set(changes) - {"name", "url", "events", "format", "project"}
    if unknown:
        raise TypeError(f"A webhook has no {', '.join(sorted(unknown))} to change.")
    if _has_moved(webhook, changes):
        ensure_callable(changes["url"])
    if "events" in changes:
        changes["events"] = clean_events(changes["events"])
    with transaction.atomic():
        webhook = _locked(webhook)
        ensure_reached(actor, webhook.organization, webhook.project)
        before = _snapshot(webhook)
        has_moved = _has_moved(webhook, changes)
        for name, value in changes.items():
            setattr(webhook, name, value)
        _check(webhook)
        ensure_reached(actor, webhook.organization, webhook.project)
        _save(webhook)
        after = _snapshot(webhook)
        if before != after or has_moved:
            _record("webhook.updated", webhook, actor, before=before, after=after | {"address_changed": has_moved})
    return webhook


@transaction.atomic
def delete_webhook(*, webhook: Webhook, actor: User) -> None:
    """Removes it with its log. What waits is not sent any more."""
    webhook = _locked(webhook)
    _record("webhook.removed", webhook, actor, before=_snapshot(webhook))
    webhook.delete()


@transaction.atomic
def pause_webhook(*, webhook: Webhook, actor: User | None, reason: str = "") -> Webhook:
    """Stops it; what waits is cancelled. Pausing twice is harmless."""
    webhook = _locked(webhook)
    if webhook.paused_at is None:
        now = clock.now()
        webhook.paused_at, webhook.pause_reason = now, reason[:200]
        webhook.save(update_fields=["paused_at", "pause_reason", "updated_at"])
        waiting = webhook.deliveries.filter(status=OutboxStatus.PENDING)
        waiting.update(status=OutboxStatus.CANCELLED, finished_at=now, error="The webhook was paused.", updated_at=now)
        _record("webhook.paused", webhook, actor, after={"reason": reason})
    return webhook


@transaction.atomic
def resume_webhook(*, webhook: Webhook, actor: User) -> Webhook:
    """Lets it go on, with a clean count of failures. Resuming twice is harmless. Raises Conflict
    `notifications.webhook_unreadable`."""
    webhook = _locked(webhook)
    if webhook.paused_at is not None:
        if webhook.problem:
            raise Conflict("notifications.webhook_unreadable", name=webhook.name, problem=webhook.problem)
        webhook.paused_at, webhook.pause_reason = None, ""
        webhook.failure_count, webhook.failing_since, webhook.resting_until = 0, None, None
        webhook.save()
        _record("webhook.resumed", webhook, actor)
    return webhook


@transaction.atomic
def rotate_secret(*, webhook: Webhook, actor: User) -> str:
    """A new secret, which is not given out again. The one from before signs as well for 24 hours, where it can be
    read. Raises Problem `notifications.beyond_own_projects`."""
    webhook = _locked(webhook)
    ensure_reached(actor, webhook.organization, webhook.project)
    if unreadable(webhook, "secret"):
        webhook.previous_secret, webhook.previous_secret_until = "", None
    else:
        webhook.previous_secret, webhook.previous_secret_until = webhook.secret, clock.now() + ROTATION
    webhook.secret = new_secret()
    webhook.save(update_fields=["secret", "previous_secret", "previous_secret_until", "updated_at"])
    _record("webhook.secret_rotated", webhook, actor)
    return webhook.secret


@transaction.atomic
def send_test(*, webhook: Webhook, actor: User) -> Delivery:
    """Queues a delivery of the kind `webhook.test`, at once even where the webhook rests after failures. Raises
    Conflict `notifications.webhook_paused`, and `notifications.test_waiting` while one has not ended."""
    webhook = _locked(webhook)
    _ensure_active(webhook)
    waiting = webhook.deliveries.filter(event__kind="webhook.test", status=OutboxStatus.PENDING)
    if waiting.exists():
        raise Conflict("notifications.test_waiting", name=webhook.name)
    now = clock.now()
    event = Event.objects.create(
        organization_id=webhook.organization_id,
        project_id=webhook.project_id,
        actor=actor,
        kind="webhook.test",
        key=f"webhook:{webhook.pk}:test:{uuid.uuid4()}",
        title=f"Test of the webhook {webhook.name}",
        path=webhook.get_absolute_url(),
        payload=payload_of(organization=webhook.organization, project=webhook.project, environment=None, data={}),
        happened_at=now,
        dispatched_at=now,
    )
    delivery = Delivery.objects.create(webhook=webhook, event=event, next_attempt_at=now)
    _wake(webhook)
    _record("webhook.tested", webhook, actor)
    ring_on_commit()
    return delivery


@transaction.atomic
def resend(*, delivery: Delivery, actor: User) -> Delivery:
    """Sends one that has ended again, under the same id. Raises Conflict `notifications.delivery_waiting`,
    `notifications.webhook_paused`."""
    webhook = _locked(delivery.webhook)
    _ensure_active(webhook)
    delivery = Delivery.objects.select_for_update(of=["self"], no_key=True).select_related("event").get(pk=delivery.pk)
    is_held = delivery.lease_expires_at is not None and delivery.lease_expires_at > clock.now()
    if delivery.status == OutboxStatus.PENDING or is_held:
        raise Conflict("notifications.delivery_waiting")
    delivery.webhook = webhook
    delivery.status, delivery.error, delivery.finished_at, delivery.tries = OutboxStatus.PENDING, "", None, 0
    delivery.next_attempt_at = clock.now()
    delivery.save()
    _wake(webhook)
    _record("webhook.delivery_resent", webhook, actor, after={"delivery": delivery.pk, "kind": delivery.event.kind})
    ring_on_commit()
    return delivery


def _locked(webhook: Webhook) -> Webhook:
    rows = Webhook.objects.select_for_update(of=["self"], no_key=True).select_related("organization", "project")
    return rows.get(pk=webhook.pk)


def _ensure_active(webhook: Webhook) -> None:
    if not webhook.is_active:
        raise Conflict("notifications.webhook_paused", name=webhook.name)


def _wake(webhook: Webhook) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(resting_until=None, updated_at=F("updated_at"))


def _has_moved(webhook: Webhook, changes: dict[str, Any]) -> bool:
    return "url" in changes and (bool(unreadable(webhook, "url")) or changes["url"] != webhook.url)


def _check(webhook: Webhook) -> None:
    if webhook.project is not None and webhook.project.organization_id != webhook.organization_id:
        raise Problem("notifications.project_elsewhere")
    # What cannot be read stays as it is, until a new one takes its place.
    exclude = ["created_by", *unreadable(webhook)]
    webhook.full_clean(exclude=exclude, validate_unique=False, validate_constraints=False)


def _save(webhook: Webhook) -> None:
    try:
        with transaction.atomic():
            webhook.save()
    except IntegrityError as error:
        if "webhook_name" not in str(error):
            raise
        raise Conflict("notifications.name_taken", name=webhook.name) from error


def _snapshot(webhook: Webhook) -> dict[str, Any]:
    return {name: str(getattr(webhook, name) or "") for name in _AUDITED if name != "events"} | {
        "events": ", ".join(webhook.events)
    }


def _record(action: str, webhook: Webhook, actor: User | None, **details: Any) -> None:
    audit.record(action=action, actor=actor, organization_id=webhook.organization_id, target=webhook, **details)
