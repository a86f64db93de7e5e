"""A receiver, a project, webhooks, and people whose addresses are verified."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from allauth.account.models import EmailAddress

from apps.notifications import services
from apps.notifications.dispatching import dispatch_next
from apps.notifications.models import Delivery, Event, Webhook
from apps.notifications.publishing import publish
from tests.factories import make_environment, make_project
from tests.notifications.receiver import Receiver


@pytest.fixture
def receiver(tmp_path, settings) -> Iterator[Receiver]:
    running = Receiver(tmp_path)
    settings.WEBHOOK_CA_FILE = str(running.certificate)
    yield running
    running.close()


@pytest.fixture
def project(cast):
    return make_project(cast.acme)


@pytest.fixture
def environment(project):
    return make_environment(project, "production")


@pytest.fixture
def make_webhook(cast) -> Callable[..., Webhook]:
    """`make_webhook(url, events=…, **fields)` in Acme, by Alice."""

    def make(url: str = "https://127.0.0.1:9/hook", events=("deploy.failed",), **fields) -> Webhook:
        fields = {"organization": cast.acme, "name": f"Hook {uuid.uuid4().hex[:8]}", "actor": cast.alice} | fields
        return services.create_webhook(url=url, events=events, **fields)[0]

    return make


@pytest.fixture
def make_event(cast, project) -> Callable[..., Event]:
    """`make_event(kind, **fields)` about the project, not dispatched."""

    def make(kind: str = "deploy.failed", **fields) -> Event:
        key = fields.pop("key", uuid.uuid4().hex)
        details = {"organization": cast.acme, "project": project, "title": "Deployment 3 of Shop failed"} | fields
        assert publish(kind=kind, key=key, **details)
        return Event.objects.get(key=key)

    return make


@pytest.fixture
def make_delivery(make_webhook, make_event) -> Callable[..., Delivery]:
    """`make_delivery(url)`: due now, to a webhook of its own."""

    def make(url: str, **fields) -> Delivery:
        webhook = make_webhook(url, **fields)
        event = make_event()
        while dispatch_next():
            pass
        return Delivery.objects.select_related("webhook").get(webhook=webhook, event=event)

    return make


@pytest.fixture
def verify() -> Callable[..., None]:
    """Makes people's addresses known to be theirs."""

    def verified(*people) -> None:
        for person in people:
            EmailAddress.objects.update_or_create(
                user=person, email=person.email, defaults={"verified": True, "primary": True}
            )

    return verified
