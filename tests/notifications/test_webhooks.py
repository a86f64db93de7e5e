"""Webhooks are made, changed and removed: with everything that may be wrong about them."""

from __future__ import annotations

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db import connections as all_connections

from apps.audit.models import Event as AuditEvent
from apps.core.exceptions import Conflict, Problem
from apps.notifications import services
from apps.notifications.models import Webhook
from tests.factories import make_project

GOOD = "https://127.0.0.1:8443/hook?team=a"


def create(cast, **fields):
    details = {"organization": cast.acme, "name": "Hook", "url": GOOD, "events": ["deploy.failed"], "actor": cast.alice}
    return services.create_webhook(**(details | fields))


def test_a_webhook_is_made_with_a_secret_that_stays_encrypted(cast):
    webhook, secret = create(cast, events=["deploy.started", "environment.created", "deploy.started"])
    assert secret.startswith("whsec_")
    assert len(secret) == len("whsec_") + 44
    webhook = Webhook.objects.get(pk=webhook.pk)
    assert webhook.secret == secret
    assert webhook.events == ["deploy.started", "environment.created"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, url FROM notifications_webhook")
        stored_secret, stored_url = cursor.fetchone()
    assert secret not in stored_secret
    assert "team=a" not in stored_url


def test_the_trail_names_the_host_and_neither_address_nor_secret(cast):
    _webhook, secret = create(cast)
    event = AuditEvent.objects.get(action="webhook.added")
    assert event.actor_id == cast.alice.pk
    assert event.after["host"] == "127.0.0.1"
    assert "team=a" not in str(event.after)
    assert secret not in str(event.after)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "//hooks.example.com/",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://user@hooks.example.com/",
        "https://user:word@hooks.example.com/",
        "https://:@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:port/",
        "https://hooks example.com/",
        "https://hooks.example.com/\n.evil",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://höoks.example.com/",
        "https://-bad-.example.com/",
        "https://[::1/",
        "https://hooks.example.com/" + "a" * 2000,
    ],
)
def test_a_bad_address_is_refused_at_its_field(cast, url):
    with pytest.raises(ValidationError) as refused:
        create(cast, url=url)
    assert "url" in refused.value.message_dict
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.5/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
        "https://100.64.0.1/",
    ],
)
def test_private_addresses_are_refused_when_saving(cast, settings, url):
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    with pytest.raises(Problem) as refused:
        create(cast, url=url)
    assert refused.value.code == "core.address_not_allowed"
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "events",
    [[], ["deploy.exploded"], ["webhook.test"], ["webhook.paused"], ["deploy.failed", "DROP TABLE"], [""]],
)
def test_unknown_and_missing_kinds_are_refused(cast, events):
    with pytest.raises(ValidationError) as refused:
        create(cast, events=events)
    assert "events" in refused.value.message_dict


def test_at_most_ten_kinds(cast):
    from apps.notifications.kinds import webhook_kinds

    names = [kind.name for kind in webhook_kinds()]
    assert len(create(cast, events=names[:10])[0].events) == 10
    with pytest.raises(ValidationError):
        create(cast, name="Other", events=names[:11])


@pytest.mark.parametrize("name", ["", "x" * 81, "two\nlines", " spaces ", "zero\u200bwidth\u202e"])
def test_a_bad_name_is_refused(cast, name):
    with pytest.raises(ValidationError) as refused:
        create(cast, name=name)
    assert "name" in refused.value.message_dict


def test_a_bad_format_is_refused(cast):
    with pytest.raises(ValidationError):
        create(cast, format="xml")


def test_a_name_is_used_once_per_organization(cast):
    create(cast)
    with pytest.raises(Conflict) as refused:
        create(cast)
    assert refused.value.code == "notifications.name_taken"
    assert create(cast, organization=cast.umbrella, actor=cast.charlie)[0].name == "Hook"


def test_a_project_of_another_organization_is_refused(cast):
    foreign = make_project(cast.umbrella)
    with pytest.raises(Problem) as refused:
        create(cast, project=foreign)
    assert refused.value.code == "notifications.project_elsewhere"
    webhook, _ = create(cast)
    with pytest.raises(Problem):
        services.update_webhook(webhook=webhook, actor=cast.alice, project=foreign)


@pytest.mark.django_db(transaction=True)
def test_the_limit_holds_when_many_are_made_at_once(cast):
    for number in range(services.MOST_WEBHOOKS - 3):
        Webhook.objects.create(organization=cast.acme, name=f"Old {number}", url=GOOD, events=["deploy.failed"])
    refusals = []

    def make(number):
        try:
            create(cast, name=f"Hook {number}")
        except Problem as problem:
            refusals.append(problem.code)
        finally:
            all_connections.close_all()

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Webhook.objects.count() == services.MOST_WEBHOOKS
    assert refusals == ["notifications.too_many_webhooks"] * 5


def test_changes_are_checked_and_recorded(cast):
    webhook, _ = create(cast)
    services.update_webhook(webhook=webhook, actor=cast.anna, name="New name", url="https://127.0.0.1:1/other")
    event = AuditEvent.objects.get(action="webhook.updated")
    assert event.before["name"] == "Hook"
    assert event.after["name"] == "New name"
    assert event.after["address_changed"] is True
    with pytest.raises(ValidationError):
        services.update_webhook(webhook=webhook, actor=cast.anna, url="http://127.0.0.1/")
    with pytest.raises(ValidationError):
        services.update_webhook(webhook=webhook, actor=cast.anna, events=[])
    with pytest.raises(TypeError):
        services.update_webhook(webhook=webhook, actor=cast.anna, secret="mine")


def test_a_change_of_nothing_leaves_no_trace(cast):
    webhook, _ = create(cast)
    services.update_webhook(webhook=webhook, actor=cast.anna, name="Hook")
    assert not AuditEvent.objects.filter(action="webhook.updated").exists()


def test_pausing_and_resuming_twice_is_harmless(cast):
    webhook, _ = create(cast)
    for _ in range(2):
        services.pause_webhook(webhook=webhook, actor=cast.alice, reason="By hand")
    assert AuditEvent.objects.filter(action="webhook.paused").count() == 1
    with pytest.raises(Conflict):
        services.send_test(webhook=webhook, actor=cast.alice)
    for _ in range(2):
        services.resume_webhook(webhook=webhook, actor=cast.alice)
    assert AuditEvent.objects.filter(action="webhook.resumed").count() == 1


def test_removing_takes_its_log_along(cast):
    webhook, _ = create(cast)
    services.send_test(webhook=webhook, actor=cast.alice)
    services.delete_webhook(webhook=webhook, actor=cast.alice)
    assert not Webhook.objects.exists()
    assert AuditEvent.objects.get(action="webhook.removed").target_name == "Hook"


def test_one_test_at_a_time(cast):
    webhook, _ = create(cast)
    services.send_test(webhook=webhook, actor=cast.alice)
    with pytest.raises(Conflict) as refused:
        services.send_test(webhook=webhook, actor=cast.alice)
    assert refused.value.code == "notifications.test_waiting"
