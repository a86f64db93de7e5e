"""What notifications show: webhooks that work, fail and rest, deliveries with attempts, an inbox."""

from __future__ import annotations

from datetime import timedelta

from apps.accounts.models import User
from apps.core import clock
from apps.notifications.models import Delivery, DeliveryAttempt, Event, Notice, OutboxStatus, Webhook
from apps.notifications.publishing import payload_of
from apps.notifications.signing import new_secret
from apps.orgs.models import Organization
from apps.projects.models import Project

HAPPENED = (
    ("deploy.failed", "Deployment 8 of Development failed", "failed", "The receiver answered 503."),
    ("deploy.completed", "Deployment 12 of Production went well", "delivered", ""),
    ("environment.deleted", "Portal old was destroyed", "pending", ""),
    ("quota.warning", "Acme uses 13 GB of 16 GB of its quota: memory", "cancelled", "The webhook was paused."),
    ("environment.created", "Feature invoicing was made", "delivered", ""),
)


def add_notifications(organization: Organization, project: Project, person: User) -> tuple[Webhook, Delivery]:
    """Returns a webhook with a log, and its delivery that failed."""
    chat = _webhook(organization, "Team chat", "https://hooks.slack.example/services/T0/B0/x", "slack")
    failing = {"failure_count": 7, "failing_since": clock.now() - timedelta(hours=2)}
    _webhook(organization, "Ticket system of a name that is rather long", "https://tickets.example.com/", **failing)
    paused = {"paused_at": clock.now(), "pause_reason": "The receiver says that it is gone (410)."}
    _webhook(organization, "Old intranet", "https://intranet.example.com/oecsh", project=project, **paused)
    deliveries = []
    for number, (kind, title, status, error) in reversed(list(enumerate(HAPPENED))):
        moment = clock.now() - timedelta(minutes=7 + number * 190)
        event = Event.objects.create(
            organization=organization,
            project=project if not kind.startswith("quota") else None,
            actor=person,
            kind=kind,
            key=f"scene:{number}",
            title=title,
            path=f"/o/{organization.slug}/p/{project.slug}/",
            payload=payload_of(organization=organization, project=project, environment=None, data={}),
            happened_at=moment,
            dispatched_at=moment,
        )
        Notice.objects.create(user=person, event=event, read_at=moment if number > 1 else None)
        deliveries.append(_delivery(chat, event, status, error))
    return chat, deliveries[-1]


def _webhook(organization: Organization, name: str, url: str, format: str = "raw", **fields: object) -> Webhook:  # noqa: A002
    events = ["deploy.completed", "deploy.failed", "environment.deleted", "quota.warning"]
    last = clock.now() - timedelta(minutes=7)
    return Webhook.objects.create(
        organization=organization,
        name=name,
        url=url,
        format=format,
        events=events,
        secret=new_secret(),
        last_triggered_at=last,
        **fields,
    )


def _delivery(webhook: Webhook, event: Event, status: str, error: str) -> Delivery:
    count = {"failed": 3, "delivered": 1}.get(status, 0)
    delivery = Delivery.objects.create(
        webhook=webhook,
        event=event,
        status=OutboxStatus(status),
        attempt_count=count,
        next_attempt_at=event.happened_at,
        error=error,
    )
    for number in range(1, count + 1):
        started = event.happened_at + timedelta(minutes=number)
        DeliveryAttempt.objects.create(
            delivery=delivery,
            number=number,
            started_at=started,
            finished_at=started,
            duration_milliseconds=84 * number,
            response_status=503 if error else 200,
            response_body="<html>Service Unavailable, try again later</html>" if error else "ok",
            error=error,
        )
    return delivery
