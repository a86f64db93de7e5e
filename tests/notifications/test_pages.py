"""The pages of webhooks: who may open them, forms with bad input, the secret that is shown once."""

from __future__ import annotations

import re
import uuid

import pytest
from django.urls import reverse

from apps.core import clock
from apps.notifications import services
from apps.notifications.delivering import deliver_next
from apps.notifications.forms import WebhookForm
from apps.notifications.models import Delivery, OutboxStatus, Webhook
from apps.orgs.access import Scope, narrow
from tests.factories import make_project
from tests.notifications.receiver import Reply

LIST = "/o/acme/settings/webhooks/"
GOOD = {"name": "Chat", "url": "https://127.0.0.1:8443/services/T0/secret-part", "format": "slack"}
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{44}")
GETS = ["webhooks", "webhook_add", "webhook", "webhook_edit", "delivery"]
POSTS = [
    *("webhook_add", "webhook_edit", "webhook_pause", "webhook_resume", "webhook_rotate", "webhook_test"),
    *("webhook_delete", "delivery_resend"),
]


@pytest.fixture
def delivery(make_delivery):
    return make_delivery("https://127.0.0.1:9/services/T0/secret-part")


def address(name, delivery):
    parts = ["acme"]
    if name not in ("webhooks", "webhook_add"):
        parts.append(delivery.webhook_id)
    if name.startswith("delivery"):
        parts.append(delivery.pk)
    return reverse(f"notifications:{name}", args=parts)


@pytest.mark.parametrize("name", GETS)
def test_only_those_who_manage_webhooks_look(cast, sign_in, delivery, client, name):
    where = address(name, delivery)
    for person, status in (("alice", 200), ("anna", 200), ("bob", 403), ("vera", 403), ("charlie", 404)):
        assert sign_in(getattr(cast, person)).get(where).status_code == status, person
    assert client.get(where).url.startswith("/account/login/")


@pytest.mark.parametrize("name", POSTS)
def test_only_they_act(cast, sign_in, delivery, client, name):
    where = address(name, delivery)
    for person, status in (("bob", 403), ("vera", 403), ("charlie", 404)):
        assert sign_in(getattr(cast, person)).post(where, GOOD).status_code == status, person
    assert client.post(where).url.startswith("/account/login/")
    webhook = Webhook.objects.get()
    assert webhook.is_active
    assert webhook.secret == delivery.webhook.secret


@pytest.mark.parametrize("name", POSTS[2:])
def test_looking_does_nothing(cast, sign_in, delivery, name):
    assert sign_in(cast.alice).get(address(name, delivery)).status_code == 405


def test_a_webhook_of_another_organization_is_not_found_below_ones_own(cast, sign_in, make_webhook, delivery):
    foreign = make_webhook(organization=cast.umbrella, actor=cast.charlie)
    client = sign_in(cast.alice)
    assert client.get(f"{LIST}{foreign.pk}/").status_code == 404
    assert client.post(f"{LIST}{foreign.pk}/delete/", {"confirm_name": foreign.name}).status_code == 404
    mine = make_webhook()
    assert client.get(f"{LIST}{mine.pk}/deliveries/{delivery.pk}/").status_code == 404
    assert client.get(f"{LIST}{mine.pk}/deliveries/{uuid.uuid4()}/").status_code == 404
    assert Webhook.objects.filter(pk=foreign.pk).exists()


def test_a_new_webhook_shows_its_secret_once(cast, sign_in):
    client = sign_in(cast.anna)
    answer = client.post(f"{LIST}new/", GOOD | {"events": ["deploy.failed", "deploy.completed"]})
    webhook = Webhook.objects.get()
    assert answer.url == f"{LIST}{webhook.pk}/"
    assert SECRET.search(str(client.session.items())) is None, "not in the session's row"
    first, second = client.get(answer.url).content.decode(), client.get(answer.url).content.decode()
    assert webhook.secret in first
    assert SECRET.search(second) is None
    assert "secret-part" not in first + second + client.get(LIST).content.decode()


def test_rotating_shows_the_new_secret_once(cast, sign_in, delivery):
    client = sign_in(cast.alice)
    page = client.post(address("webhook_rotate", delivery), follow=True).content.decode()
    webhook = Webhook.objects.get()
    assert webhook.secret in page
    assert webhook.secret != delivery.webhook.secret
    assert SECRET.search(client.get(f"{LIST}{webhook.pk}/").content.decode()) is None


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("url", "http://hooks.example.com/", "starts with https://"),
        ("url", "", "required"),
        ("url", "https://user:word@127.0.0.1/", "Leave the user and the password out"),
        ("name", "", "required"),
        ("name", "x" * 81, "at most 80"),
        ("events", [], "required"),
        ("events", ["deploy.exploded"], "not one of the available choices"),
        ("events", ["webhook.paused"], "not one of the available choices"),
        ("format", "xml", "not one of the available choices"),
        ("project", str(uuid.UUID(int=0)), "not one of the available choices"),
        ("project", "x", "valid"),
    ],
)
def test_bad_input_stands_beside_its_field(cast, sign_in, field, value, words):
    sent = GOOD | {"events": ["deploy.failed"]} | {field: value}
    answer = sign_in(cast.alice).post(f"{LIST}new/", sent)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Webhook.objects.exists()


def test_a_private_address_and_a_taken_name_stand_beside_their_fields(cast, sign_in, make_webhook, settings):
    make_webhook(name="Chat")
    client = sign_in(cast.alice)
    taken = client.post(f"{LIST}new/", GOOD | {"events": ["deploy.failed"]})
    assert taken.status_code == 422
    assert "called Chat already" in str(taken.context["form"].errors["name"])
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    refused = client.post(f"{LIST}new/", GOOD | {"name": "Other", "events": ["deploy.failed"]})
    assert "private or reserved" in str(refused.context["form"].errors["url"])


def test_changing_without_an_address_keeps_the_stored_one(cast, sign_in, delivery):
    client = sign_in(cast.alice)
    page = client.get(address("webhook_edit", delivery)).content.decode()
    assert "secret-part" not in page
    sent = {"name": "Renamed", "url": "", "format": "raw", "events": ["deploy.started"], "project": ""}
    assert client.post(address("webhook_edit", delivery), sent).status_code == 302
    webhook = Webhook.objects.get()
    assert (webhook.name, webhook.url) == ("Renamed", delivery.webhook.url)
    assert webhook.events == ["deploy.started"]
    assert client.post(address("webhook_edit", delivery), sent | {"url": "http://x/"}).status_code == 422


def test_only_projects_that_the_person_sees_are_offered_and_the_one_it_is_about(cast, make_webhook, project):
    seen, hidden = make_project(cast.acme, "Seen"), make_project(cast.acme, "Hidden")
    webhook = make_webhook(project=project)
    person = type(cast.alice).objects.get(pk=cast.alice.pk)
    narrow(person, Scope(project_id=seen.pk))
    new = WebhookForm(person=person, organization=cast.acme)
    old = WebhookForm(person=person, organization=cast.acme, webhook=webhook)
    assert set(new.fields["project"].queryset) == {seen}
    assert set(old.fields["project"].queryset) == {seen, project}
    everything = WebhookForm(person=cast.alice, organization=cast.acme)
    assert set(everything.fields["project"].queryset) == {seen, hidden, project}


def test_names_are_escaped(cast, sign_in, make_webhook):
    make_webhook(name="<script>alert(1)</script>")
    page = sign_in(cast.alice).get(LIST).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_test_is_sent_and_its_answer_shown(cast, sign_in, make_webhook, receiver):
    receiver.replies = [Reply(500, body=b"<b>no room</b>"), Reply()]
    webhook = make_webhook(receiver.url)
    client = sign_in(cast.alice)
    where = client.post(f"{LIST}{webhook.pk}/test/").url
    assert "A worker takes it within seconds" in client.get(where).content.decode()
    assert client.post(f"{LIST}{webhook.pk}/test/").status_code == 409
    deliver_next()
    assert receiver.requests[0].json["type"] == "webhook.test"
    page = client.get(where, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert "The receiver answered 500." in page
    assert "&lt;b&gt;no room" in page
    Delivery.objects.update(status=OutboxStatus.FAILED, finished_at=clock.now())
    assert client.post(f"{where}resend/").status_code == 302
    assert client.post(f"{where}resend/").status_code == 409
    deliver_next()
    assert "delivered" in client.get(where).content.decode()


def test_pause_resume_and_remove(cast, sign_in, delivery):
    client = sign_in(cast.alice)
    client.post(address("webhook_pause", delivery))
    assert "This webhook is paused" in client.get(address("webhook", delivery)).content.decode()
    assert client.post(address("webhook_test", delivery)).status_code == 409
    client.post(address("webhook_resume", delivery))
    assert Webhook.objects.get().is_active
    client.post(address("webhook_delete", delivery), {"confirm_name": "something else"})
    assert Webhook.objects.exists()
    client.post(address("webhook_delete", delivery), {"confirm_name": delivery.webhook.name})
    assert not Webhook.objects.exists()


def test_the_log_is_filtered_and_paged(cast, sign_in, delivery):
    client = sign_in(cast.alice)
    page = address("webhook", delivery)
    assert "Deployment 3 of Shop failed" in client.get(f"{page}?status=pending").content.decode()
    assert "Nothing matches" in client.get(f"{page}?status=failed").content.decode()
    for odd in ("?status=%00", "?page=99999", "?page=-1", "?status=x&page=x"):
        assert client.get(page + odd).status_code == 200


def test_pages_need_a_constant_number_of_queries(
    cast, sign_in, make_webhook, make_event, django_assert_max_num_queries
):
    from apps.notifications.dispatching import dispatch_next

    webhooks = [make_webhook() for _ in range(6)]
    for number in range(10):
        make_event(title=f"Number {number}")
    while dispatch_next():
        pass
    client = sign_in(cast.alice)
    for where in (LIST, f"{LIST}{webhooks[0].pk}/"):
        client.get(where)
        with django_assert_max_num_queries(20):
            assert client.get(where).status_code == 200


def test_the_tab_is_for_those_who_may(cast, sign_in):
    assert LIST in sign_in(cast.anna).get("/o/acme/settings/").content.decode()
    assert LIST not in sign_in(cast.bob).get("/o/acme/settings/").content.decode()


def test_an_administrator_of_the_platform_sees_no_secrets_and_can_pause(cast, sign_in, delivery):
    client = sign_in(cast.sam)
    for model in ("webhook", "delivery", "deliveryattempt", "event", "mail", "notice", "preference"):
        listed = client.get(reverse(f"admin:notifications_{model}_changelist"))
        assert listed.status_code == 200, model
        assert client.get(reverse(f"admin:notifications_{model}_add")).status_code == 403
    page = client.get(reverse("admin:notifications_webhook_change", args=[delivery.webhook_id])).content.decode()
    assert "secret-part" not in page
    assert "whsec_" not in page
    where = reverse("admin:notifications_webhook_changelist")
    client.post(where, {"action": "pause_selected", "_selected_action": [str(delivery.webhook_id)]})
    assert not Webhook.objects.get().is_active
    client.post(where, {"action": "resume_selected", "_selected_action": [str(delivery.webhook_id)]})
    where = reverse("admin:notifications_delivery_changelist")
    client.post(where, {"action": "resend_selected", "_selected_action": [str(delivery.pk)]})
    delivery.refresh_from_db()
    assert delivery.status == OutboxStatus.PENDING
    with pytest.raises(Exception, match="waiting"):
        services.resend(delivery=delivery, actor=cast.sam)
