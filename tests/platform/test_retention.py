"""Each organization keeps its trail as long as it says; the platform the rest."""

from __future__ import annotations

from datetime import timedelta

from apps.audit import services
from apps.audit.models import Event
from apps.core import clock
from apps.orgs.models import Organization
from apps.platform.audit_retention import delete_expired_events
from apps.platform.models import PlatformSettings
from apps.platform.tasks import delete_expired_events as task


def _record(days: int, organization=None, **fields: object) -> Event:
    with clock.freeze(clock.now() - timedelta(days=days)):
        return services.record(
            action="test.happened", organization_id=organization.pk if organization else None, **fields
        )


def _left(*events: Event) -> list[bool]:
    kept = set(Event.objects.values_list("pk", flat=True))
    return [event.pk in kept for event in events]


def test_each_keeps_its_own_time(cast):
    Organization.objects.filter(pk=cast.acme.pk).update(audit_retention_days=60)
    Organization.objects.filter(pk=cast.umbrella.pk).update(audit_retention_days=400)
    events = [_record(61, cast.acme), _record(59, cast.acme), _record(399, cast.umbrella), _record(399), _record(300)]
    assert delete_expired_events() == 2
    assert _left(*events) == [False, True, True, False, True]
    assert delete_expired_events() == 0


def test_the_platforms_own_time(cast):
    PlatformSettings.objects.create(audit_retention_days=90)
    events = [_record(91), _record(89), _record(91, cast.acme)]
    assert delete_expired_events() == 1
    assert _left(*events) == [False, True, True]


def test_what_an_organization_that_is_gone_left_is_the_platforms(cast):
    gone = Organization.objects.create(name="Gone", slug="gone")
    event, young = _record(400, gone), _record(100, gone)
    gone.delete()
    assert task() == 1
    assert _left(event, young) == [False, True]
