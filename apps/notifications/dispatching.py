"""From an event to the rows of those who are told: one transaction per event, and nothing twice."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from apps.core import clock
from apps.notifications.models import Channel, Delivery, Event, Mail, Notice, Webhook
from apps.notifications.recipients import people_for


def dispatch_next() -> bool:
    """Dispatches the oldest event that was not. False when there is none (or others have them)."""
    with transaction.atomic():
        waiting = Event.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        waiting = waiting.filter(dispatched_at=None).order_by("happened_at", "created_at")
        event = waiting.select_related("organization", "project__organization").first()
        if event is None:
            return False
        dispatch(event)
    return True


def dispatch(event: Event) -> None:
    """Makes the rows of one event; those that exist stay as they are. Call it in a transaction that holds the row."""
    now = clock.now()
    deliveries = [Delivery(webhook=webhook, event=event, next_attempt_at=now) for webhook in webhooks_for(event)]
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    people = people_for(event)
    notices = [Notice(user=person, event=event) for person in people[Channel.INBOX]]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    mails = [Mail(user=person, event=event, next_attempt_at=now) for person in people[Channel.MAIL]]
    Mail.objects.bulk_create(mails, ignore_conflicts=True)
    event.dispatched_at = now
    event.save(update_fields=["dispatched_at", "updated_at"])


def webhooks_for(event: Event) -> list[Webhook]:
    """The webhooks that subscribe to it: those of the whole organization, and those of its project."""
    if not event.description.for_webhooks:
        return []
    about = Q(project=None)
    if event.project_id is not None:
        about |= Q(project_id=event.project_id)
    rows = Webhook.objects.filter(about, organization_id=event.organization_id, paused_at=None)
    # Without their secrets: one that cannot be decrypted is no reason to tell nobody.
    return list(rows.filter(events__contains=[event.kind]).only("pk"))
