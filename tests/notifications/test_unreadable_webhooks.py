"""A webhook whose address or secret cannot be decrypted any more is paused, says what to do, and holds nobody up."""

from __future__ import annotations

import pytest

from apps.core.exceptions import Conflict
from apps.notifications import services
from apps.notifications.delivering import deliver_next
from apps.notifications.dispatching import dispatch_next
from apps.notifications.models import Delivery, Event, OutboxStatus, Webhook
from apps.notifications.working import work_through
from tests.api.conftest import make_program
from tests.lost_keys import lose

SENTENCE = {
    "url": "It cannot be called: the address cannot be decrypted any more. Please enter the address again, then resume",
    "secret": "It cannot be called: the secret cannot be decrypted any more. Please replace the secret, then resume",
}


@pytest.fixture
def lost(receiver, make_delivery) -> Delivery:
    delivery = make_delivery(receiver.url, name="A lost one")
    lose(delivery.webhook, "url", "secret")
    return delivery


@pytest.mark.parametrize("name", ["url", "secret"])
def test_it_is_paused_and_the_others_are_called(receiver, make_delivery, make_webhook, make_event, cast, name):
    broken = make_delivery(receiver.url)
    sound = make_webhook(receiver.url)
    elsewhere = make_webhook(receiver.url, organization=cast.umbrella, actor=cast.charlie)
    lose(broken.webhook, name)
    make_event()
    make_event(organization=cast.umbrella, project=None)
    while dispatch_next():
        pass
    work_through()
    webhook = Webhook.objects.get(pk=broken.webhook_id)
    assert not webhook.is_active
    assert webhook.pause_reason.startswith(SENTENCE[name])
    assert not webhook.deliveries.exclude(status=OutboxStatus.CANCELLED).exists()
    for other in (sound, elsewhere):
        assert other.deliveries.get().status == OutboxStatus.DELIVERED
    assert Event.objects.filter(kind="webhook.paused", organization=cast.acme).count() == 1
    assert len(receiver.requests) == 2


def test_the_pages_and_the_api_show_it_and_what_to_do(cast, sign_in, lost, make_webhook):
    make_webhook(name="A sound one")
    client = sign_in(cast.alice)
    for where in ("", f"{lost.webhook_id}/", f"{lost.webhook_id}/deliveries/{lost.pk}/"):
        answer = client.get(f"/o/acme/settings/webhooks/{where}")
        assert answer.status_code == 200, where
        assert "A lost one" in answer.content.decode()
    page = client.get("/o/acme/settings/webhooks/").content.decode()
    assert "A sound one" in page
    assert "enter the address again, replace the secret" in page
    assert "enter it again" in client.get(f"/o/acme/settings/webhooks/{lost.webhook_id}/edit/").content.decode()
    listed = make_program(cast.acme, cast.alice).get("/webhooks").json()["results"]
    assert [(one["name"], one["host"], bool(one["problem"])) for one in listed] == [
        ("A lost one", "", True),
        ("A sound one", "127.0.0.1", False),
    ]
    assert sign_in(cast.sam).get("/admin/notifications/webhook/").status_code == 200


def test_it_goes_on_once_both_are_new(cast, receiver, lost):
    deliver_next()
    webhook = Webhook.objects.get(pk=lost.webhook_id)
    with pytest.raises(Conflict) as caught:
        services.resume_webhook(webhook=webhook, actor=cast.alice)
    assert caught.value.code == "notifications.webhook_unreadable"
    services.update_webhook(webhook=webhook, actor=cast.alice, name="Found again", url=receiver.url)
    secret = services.rotate_secret(webhook=webhook, actor=cast.alice)
    webhook = services.resume_webhook(webhook=Webhook.objects.get(pk=webhook.pk), actor=cast.alice)
    assert (webhook.problem, webhook.secret, webhook.previous_secret) == ("", secret, "")
    services.resend(delivery=Delivery.objects.get(pk=lost.pk), actor=cast.alice)
    assert deliver_next()
    lost.refresh_from_db()
    assert lost.status == OutboxStatus.DELIVERED


def test_other_changes_keep_what_is_stored(cast, lost):
    webhook = Webhook.objects.get(pk=lost.webhook_id)
    services.update_webhook(webhook=webhook, actor=cast.alice, name="Renamed")
    webhook = Webhook.objects.get(pk=lost.webhook_id)
    assert webhook.name == "Renamed"
    assert webhook.problem
    services.delete_webhook(webhook=webhook, actor=cast.alice)
    assert not Webhook.objects.exists()


def test_an_old_secret_counts_only_while_it_signs(cast, make_webhook, make_event, receiver):
    webhook = make_webhook(receiver.url)
    services.rotate_secret(webhook=webhook, actor=cast.alice)
    lose(webhook, "previous_secret")
    webhook = Webhook.objects.get(pk=webhook.pk)
    assert "replace the secret" in webhook.problem
    Webhook.objects.filter(pk=webhook.pk).update(previous_secret_until=webhook.created_at)
    assert Webhook.objects.get(pk=webhook.pk).problem == ""
    services.send_test(webhook=webhook, actor=cast.alice)
    assert deliver_next()
    assert len(receiver.requests) == 1
