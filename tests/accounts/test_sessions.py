"""Where a person is signed in, and the ending of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from apps.accounts.sessions import device_of
from apps.accounts.tasks import forget_old_sessions
from apps.audit.models import Event
from apps.core import clock
from tests.cast import PASSWORD

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Version/17.0 Mobile/15E148 Safari/604.1"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537 Chrome/126.0 Safari/537 Edg/126.0"


def signed_in(user, agent: str = FIREFOX) -> Client:
    client = Client(HTTP_USER_AGENT=agent)
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    assert is_in(client)
    return client


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (FIREFOX, "Firefox on Linux"),
        (PHONE, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        (PHONE.replace("Version", "CriOS"), "Chrome on iPhone"),
        ("", "Unknown browser"),
        ("<script>alert(1)</script>", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_two_words(agent, device):
    assert device_of(agent) == device


@pytest.mark.django_db
def test_the_page_lists_the_persons_own_sessions_alone(cast):
    mine, _ = signed_in(cast.alice), signed_in(cast.alice, PHONE)
    signed_in(cast.bob, EDGE)
    page = mine.get("/account/sessions/").content.decode()
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert "Edge" not in page
    assert page.count("this one") == 1


@pytest.mark.django_db
def test_a_browsers_name_of_itself_is_no_script(cast):
    client = signed_in(cast.alice, '"><script>alert(1)</script>')
    assert "<script>alert" not in client.get("/account/sessions/").content.decode()


@pytest.mark.django_db
def test_ending_one_session_ends_that_one(cast):
    mine, phone = signed_in(cast.alice), signed_in(cast.alice, PHONE)
    row = UserSession.objects.get(user=cast.alice, user_agent=PHONE)
    assert mine.post(f"/account/sessions/{row.pk}/end/").status_code == 302
    assert not is_in(phone)
    assert is_in(mine)
    assert not Session.objects.filter(session_key=row.session_key).exists()
    assert Event.objects.filter(action="account.session_ended", actor_id=cast.alice.pk).exists()


@pytest.mark.django_db
def test_ending_all_others_leaves_the_current_one(cast):
    mine, *others = (signed_in(cast.alice) for _ in range(3))
    stranger = signed_in(cast.bob)
    mine.post("/account/sessions/end/")
    assert is_in(mine)
    assert is_in(stranger)
    assert not any(is_in(other) for other in others)


@pytest.mark.django_db
def test_somebody_elses_session_is_not_ended(cast):
    signed_in(cast.bob)
    row = UserSession.objects.get(user=cast.bob)
    assert signed_in(cast.alice).post(f"/account/sessions/{row.pk}/end/").status_code == 404
    assert UserSession.objects.filter(pk=row.pk).exists()


@pytest.mark.django_db
def test_a_link_alone_ends_nothing(cast):
    client = signed_in(cast.alice)
    row = UserSession.objects.get(user=cast.alice)
    for address in ("/account/sessions/end/", f"/account/sessions/{row.pk}/end/"):
        assert client.get(address).status_code == 405
    checked = Client(enforce_csrf_checks=True)
    checked.cookies = client.cookies
    assert checked.post("/account/sessions/end/").status_code == 403


@pytest.mark.django_db
def test_a_changed_password_ends_every_session(cast):
    mine, other = signed_in(cast.alice), signed_in(cast.alice)
    new = "Another-horse-9"
    mine.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    cast.alice.refresh_from_db()
    assert cast.alice.check_password(new)
    assert not is_in(mine)
    assert not is_in(other)
    assert not UserSession.objects.filter(user=cast.alice).exists()
    assert Event.objects.filter(action="account.password_changed", actor_id=cast.alice.pk).exists()


@pytest.mark.django_db
def test_activity_is_noted_now_and_then_not_at_every_request(cast, django_assert_num_queries):
    client = signed_in(cast.alice)
    row = UserSession.objects.get(user=cast.alice)
    UserSession.objects.filter(pk=row.pk).update(ip="203.0.113.9")
    cache.clear()
    client.get("/account/sessions/")
    row.refresh_from_db()
    assert row.ip == "127.0.0.1"
    UserSession.objects.filter(pk=row.pk).update(ip="203.0.113.9")
    client.get("/account/sessions/")
    row.refresh_from_db()
    assert row.ip == "203.0.113.9"


@pytest.mark.django_db
def test_without_redis_pages_are_shown_and_a_missing_row_is_made(cast, settings):
    client = signed_in(cast.alice)
    UserSession.objects.all().delete()
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert is_in(client)
    assert UserSession.objects.filter(user=cast.alice).count() == 1


@pytest.mark.django_db
def test_sessions_that_are_over_are_forgotten(cast):
    alive, over = signed_in(cast.alice), signed_in(cast.alice, PHONE)
    Session.objects.filter(session_key=over.session.session_key).update(expire_date=clock.now() - timedelta(days=1))
    assert forget_old_sessions() == 1
    assert [one.session_key for one in UserSession.objects.all()] == [alive.session.session_key]


@pytest.mark.django_db
def test_signing_in_and_out_is_in_the_trail(cast):
    client = signed_in(cast.alice)
    client.post("/account/logout/")
    actions = list(
        Event.objects.filter(actor_id=cast.alice.pk, action__startswith="account.").values_list("action", flat=True)
    )
    assert sorted(actions) == ["account.signed_in", "account.signed_out"]
    assert not UserSession.objects.filter(user=cast.alice).exists()


@pytest.mark.django_db
def test_staff_end_a_persons_sessions(cast, sign_in):
    theirs = signed_in(cast.alice)
    data = {"action": "end_sessions", "_selected_action": str(cast.alice.pk)}
    sign_in(cast.sam).post("/admin/accounts/user/", data)
    assert not is_in(theirs)
