"""What a person chose counts, the narrowest choice first; nobody chooses for others or about what they do not see."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from apps.notifications import preferences
from apps.notifications.dispatching import dispatch_next
from apps.notifications.models import Preference
from tests.factories import make_project

PAGE = "/account/notifications/"


def is_told(person, make_event, kind="deploy.failed", **fields):
    event = make_event(kind, **fields)
    while dispatch_next():
        pass
    return event.notices.filter(user=person).exists()


def test_the_narrowest_choice_counts(cast, make_event, project):
    person, other = cast.alice, make_project(cast.acme, "Other")
    assert is_told(person, make_event), "the kind's default"
    preferences.set_preference(user=person, kind="deploy.failed", channel="inbox", is_wanted=False)
    assert not is_told(person, make_event)
    preferences.set_preference(
        user=person, kind="deploy.failed", channel="inbox", is_wanted=True, organization=cast.acme
    )
    assert is_told(person, make_event)
    preferences.set_preference(user=person, kind="deploy.failed", channel="inbox", is_wanted=False, project=project)
    assert not is_told(person, make_event)
    assert is_told(person, make_event, project=other)
    preferences.set_preference(user=person, kind="deploy.failed", channel="inbox", is_wanted=None, project=project)
    assert is_told(person, make_event)
    assert is_told(cast.anna, make_event), "others are not touched"


def test_choosing_twice_is_one_row(cast):
    for is_wanted in (True, False, False):
        preferences.set_preference(user=cast.bob, kind="deploy.failed", channel="mail", is_wanted=is_wanted)
    assert Preference.objects.get().is_wanted is False


@pytest.mark.parametrize(("kind", "channel"), [("deploy.exploded", "inbox"), ("deploy.failed", "pigeon"), ("", "")])
def test_unknown_kinds_and_channels_are_refused(cast, kind, channel):
    with pytest.raises(ValidationError):
        preferences.set_preference(user=cast.bob, kind=kind, channel=channel, is_wanted=True)


def test_the_page_shows_and_stores_choices(cast, sign_in, project):
    client = sign_in(cast.bob)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "A deployment failed" in page.content.decode()
    assert "webhook.test" not in page.content.decode()
    answer = client.post(PAGE, {"deploy.failed:inbox": "off", "deploy.started:mail": "on", "x": "y"})
    assert answer.status_code == 302
    chosen = {(row.kind, row.channel): row.is_wanted for row in Preference.objects.filter(user=cast.bob)}
    assert chosen == {("deploy.failed", "inbox"): False, ("deploy.started", "mail"): True}
    client.post(PAGE, {"deploy.failed:inbox": "inherit", "deploy.started:mail": "on"})
    assert Preference.objects.get().kind == "deploy.started"


def test_a_project_has_choices_of_its_own(cast, sign_in, project):
    client = sign_in(cast.alice)
    address = f"{PAGE}?scope=project:{project.pk}"
    assert client.get(address).status_code == 200
    client.post(address, {"deploy.failed:mail": "off"})
    row = Preference.objects.get()
    assert (row.project, row.organization, row.is_wanted) == (project, cast.acme, False)
    client.post(f"{PAGE}?scope=organization:{cast.acme.pk}", {"deploy.failed:mail": "on"})
    assert Preference.objects.count() == 2


@pytest.mark.parametrize("scope", ["project:x", "project:", "organization:1", "x", "project:" + "0" * 32, "\0", "::"])
def test_a_scope_that_is_none_is_not_found(cast, sign_in, scope):
    assert sign_in(cast.bob).get(PAGE, {"scope": scope}).status_code == 404


def test_a_strangers_project_and_organization_are_not_found(cast, sign_in, project):
    client = sign_in(cast.charlie)
    for scope in (f"project:{project.pk}", f"organization:{cast.acme.pk}"):
        assert client.get(PAGE, {"scope": scope}).status_code == 404
        assert client.post(f"{PAGE}?scope={scope}", {"deploy.failed:mail": "off"}).status_code == 404
    assert not Preference.objects.exists()


def test_odd_answers_change_nothing(cast, sign_in):
    client = sign_in(cast.bob)
    client.post(PAGE, {"deploy.failed:inbox": "maybe", "deploy.failed": "on", "deploy.failed:pigeon": "on"})
    assert not Preference.objects.exists()


def test_the_page_needs_a_constant_number_of_queries(cast, sign_in, project, django_assert_max_num_queries):
    client = sign_in(cast.alice)
    client.get(PAGE)
    for number in range(5):
        make_project(cast.acme, f"More {number}")
    with django_assert_max_num_queries(20):
        client.get(PAGE)


def test_who_is_not_verified_is_told_so(cast, sign_in, verify):
    client = sign_in(cast.bob)
    assert "Your address is not verified" in client.get(PAGE).content.decode()
    verify(cast.bob)
    assert "Your address is not verified" not in client.get(PAGE).content.decode()
    assert reverse("notifications:preferences") == PAGE
