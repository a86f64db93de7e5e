"""From an event to those who are told: everybody who may and wants, once, and nobody else."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections, transaction

from apps.core import clock
from apps.notifications import preferences, retention
from apps.notifications.dispatching import dispatch, dispatch_next
from apps.notifications.models import Delivery, Event, Mail, Notice
from apps.notifications.publishing import publish
from apps.orgs.models import Membership
from tests.factories import make_project


def names_of(rows):
    return sorted(row.user.display_name for row in rows)


def test_webhooks_get_what_they_subscribe_to(make_webhook, make_event, project, cast):
    everything = make_webhook()
    mine = make_webhook(project=project)
    make_webhook(project=make_project(cast.acme, "Other"))
    make_webhook(events=["deploy.completed"])
    make_webhook(organization=cast.umbrella, actor=cast.charlie)
    event = make_event()
    while dispatch_next():
        pass
    assert {delivery.webhook for delivery in event.deliveries.all()} == {everything, mine}


def test_a_paused_webhook_gets_nothing(make_webhook, make_event, cast):
    from apps.notifications.services import pause_webhook

    pause_webhook(webhook=make_webhook(), actor=cast.alice)
    make_event()
    while dispatch_next():
        pass
    assert not Delivery.objects.exists()


def test_an_event_of_the_organization_does_not_reach_a_projects_webhook(make_webhook, project, cast):
    make_webhook(project=project, events=["quota.warning"])
    publish(kind="quota.warning", organization=cast.acme, title="x", key="a")
    while dispatch_next():
        pass
    assert not Delivery.objects.exists()


def test_members_who_may_see_the_project_are_told(cast, make_event, verify):
    verify(cast.alice, cast.bob, cast.charlie)
    event = make_event()
    while dispatch_next():
        pass
    told = names_of(event.notices.all())
    assert {"Alice", "Anna"} <= set(told)
    assert "Charlie" not in told
    assert "Sam" not in told
    mailed = names_of(event.mails.all())
    assert "Alice" in mailed
    assert "Anna" not in mailed, "her address is not verified"
    assert "Charlie" not in mailed


def test_what_needs_a_right_is_told_to_those_who_have_it(cast):
    publish(kind="webhook.paused", organization=cast.acme, title="x", key="a")
    dispatch_next()
    assert names_of(Notice.objects.all()) == ["Alice", "Anna"]


def test_who_was_made_inactive_or_left_is_not_told(cast, make_event, verify):
    verify(cast.alice, cast.anna)
    cast.anna.is_active = False
    cast.anna.save()
    Membership.objects.filter(user=cast.bob).delete()
    event = make_event()
    while dispatch_next():
        pass
    told = names_of(event.notices.all())
    assert "Anna" not in told
    assert "Bob" not in told


def test_ones_own_click_is_not_announced_to_oneself_but_its_end_is(cast, make_event):
    for channel in ("inbox",):
        for person in (cast.alice, cast.anna):
            preferences.set_preference(user=person, kind="deploy.started", channel=channel, is_wanted=True)
    began, ended = make_event("deploy.started", actor=cast.alice), make_event("deploy.failed", actor=cast.alice)
    while dispatch_next():
        pass
    assert names_of(began.notices.all()) == ["Anna"]
    assert "Alice" in names_of(ended.notices.all())


def test_dispatching_twice_makes_nothing_twice(make_webhook, make_event, cast, verify):
    verify(cast.alice)
    make_webhook()
    event = make_event()
    for _ in range(2):
        with transaction.atomic():
            dispatch(event)
    assert Delivery.objects.count() == 1
    assert Notice.objects.filter(user=cast.alice).count() == 1
    assert Mail.objects.filter(user=cast.alice).count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_workers_dispatch_each_event_once(make_webhook, make_event):
    make_webhook()
    for number in range(12):
        make_event(title=f"Number {number}")

    def work():
        try:
            while dispatch_next():
                pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not Event.objects.filter(dispatched_at=None).exists()
    assert Delivery.objects.count() == 12


def test_a_kind_that_this_version_does_not_know_is_dispatched_to_nobody(make_webhook, make_event):
    make_webhook()
    event = make_event()
    Event.objects.filter(pk=event.pk).update(kind="gone.kind")
    while dispatch_next():
        pass
    event.refresh_from_db()
    assert event.dispatched_at is not None
    assert not event.deliveries.exists()
    assert not event.notices.exists()


def test_what_is_old_goes_with_all_that_became_of_it(make_webhook, make_event, settings):
    make_webhook()
    old, young = make_event(), make_event()
    while dispatch_next():
        pass
    Event.objects.filter(pk=old.pk).update(
        happened_at=clock.now() - settings.NOTIFICATION_RETENTION - timedelta(minutes=1)
    )
    assert retention.delete_old_events() == 1
    assert list(Event.objects.filter(kind="deploy.failed")) == [young]
    assert Delivery.objects.count() == 1
    assert retention.delete_old_events() == 0
