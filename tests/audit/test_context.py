"""Who, from where, by which key and through whose eyes is known without being passed on."""

from __future__ import annotations

import uuid

from django.test import RequestFactory

from apps.audit import services
from apps.audit.models import Event
from apps.core.request_context import RequestContext, current, remembered, within


def test_a_page_that_changes_something_names_person_and_address(cast, sign_in):
    answer = sign_in(cast.alice).post(
        "/o/acme/settings/", {"name": "Acme Works"}, REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="198.51.100.1"
    )
    assert answer.status_code in (302, 422)
    client = sign_in(cast.alice)
    client.post("/o/new/", {"name": "Second"}, REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="198.51.100.1")
    event = Event.objects.filter(action="organization.created").first()
    assert (event.actor_id, event.ip_address) == (cast.alice.pk, "192.0.2.7")


def test_the_key_and_the_viewer_are_recorded(cast):
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.9")
    request.user = cast.bob
    with within(RequestContext(request, viewer=cast.sam)) as context:
        key = uuid.uuid4()
        context.by_key(key, "Deploys at night")
        event = services.record(action="test.happened")
    event.refresh_from_db()
    assert (event.actor_name, event.viewer_name, event.viewer_id) == ("Bob", "Sam", cast.sam.pk)
    assert (event.key_id, event.key_name, event.ip_address) == (key, "Deploys at night", "192.0.2.9")


def test_outside_of_requests_nothing_is_invented(cast):
    event = services.record(action="test.happened")
    assert (event.actor_id, event.ip_address, event.viewer_id, event.key_name) == (None, None, None, "")
    assert current() is None


def test_what_is_remembered_ends_with_the_request():
    asked = []

    def load() -> int:
        asked.append(1)
        return len(asked)

    assert (remembered("n", load), remembered("n", load)) == (1, 2)
    with within(RequestContext()):
        assert (remembered("n", load), remembered("n", load)) == (3, 3)
    assert remembered("n", load) == 4
