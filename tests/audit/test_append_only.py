"""The trail is only ever appended to, and holds no secret."""

from __future__ import annotations

import pytest

from apps.audit import services
from apps.audit.models import AppendOnlyError, Event


def test_nothing_changes_or_deletes_an_event(cast):
    event = Event.objects.first()
    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        event.delete()
    with pytest.raises(AppendOnlyError):
        Event.objects.all().delete()
    with pytest.raises(AppendOnlyError):
        Event.objects.update(action="nothing")


def test_secrets_are_masked(cast):
    event = services.record(
        action="server.changed",
        actor=cast.alice,
        after={"private_key": "planted", "nested": {"api_token": "planted"}, "url": "https://a:planted@h/"},
    )
    event.refresh_from_db()
    assert "planted" not in str(event.after)


def test_the_event_outlives_the_person(cast):
    services.record(action="server.added", actor=cast.bob, target=cast.acme)
    cast.bob.delete()
    assert Event.objects.get(action="server.added").actor_name == "Bob"
