"""Signing up, and confirming the address in time (features ACC-1)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client

from apps.accounts.models import User
from apps.audit.models import Event
from apps.core import clock
from tests.accounts.mailbox import link_to, mails_to
from tests.cast import PASSWORD

DORA = "dora@example.com"


def sign_up(client: Client, email: str = DORA, password: str = PASSWORD):
    return client.post("/account/signup/", {"email": email, "password1": password, "password2": password})


def enter(client: Client, email: str = DORA, password: str = PASSWORD):
    return client.post("/account/login/", {"login": email, "password": password})


def reauthenticate(client: Client) -> None:
    """What changes the way in asks for the password once more."""
    client.post("/account/reauthenticate/", {"password": PASSWORD})


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def confirm(client: Client | None = None, email: str = DORA):
    """The link in the mail, opened in the browser of `client`, or in one that nobody is signed in with."""
    return (client or Client()).post(link_to(email), follow=True)


def reset(client: Client, password: str, email: str = DORA) -> None:
    client.post("/account/password/reset/", {"email": email})
    form = client.get(link_to(email), follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": password, "password2": password})


@pytest.mark.django_db
def test_a_new_person_is_in_at_once_and_is_mailed_a_link(client):
    assert sign_up(client).status_code == 302
    assert is_in(client)
    assert len(mails_to(DORA)) == 1
    assert Event.objects.filter(action="account.created", actor_id=User.objects.get(email=DORA).pk).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "password", ["Short1a", "alllower9", "ALLUPPER9", "NoDigitsHere", "Password1", "dora@Example1"]
)
def test_a_weak_password_makes_no_account(client, password):
    assert sign_up(client, password=password).status_code == 200
    assert not User.objects.filter(email=DORA).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "email", ["", "dora", "dora@", "dora@example.com\nBcc: all@example.com", "x" * 250 + "@example.com"]
)
def test_an_address_that_is_none_makes_no_account(client, email):
    assert sign_up(client, email=email).status_code == 200
    assert not User.objects.exists()


@pytest.mark.django_db
def test_after_four_hours_an_unconfirmed_account_is_locked_and_its_sessions_are_nobodys(client):
    sign_up(client)
    now = clock.now()
    with clock.freeze(now + timedelta(hours=3, minutes=59)):
        assert is_in(client)
    with clock.freeze(now + timedelta(hours=4, minutes=1)):
        assert not is_in(client)
        answer = enter(Client())
        assert answer.headers["Location"] == "/account/verify/"


@pytest.mark.django_db
def test_confirming_in_the_browser_that_signed_up_changes_nothing_else(client):
    sign_up(client)
    answer = confirm(client)
    assert answer.redirect_chain[0][0] == "/"
    assert "their password is void" not in answer.content.decode()
    assert is_in(client)
    assert User.objects.get(email=DORA).verify_by is None
    assert enter(Client()).headers["Location"] == "/"


@pytest.mark.django_db
@pytest.mark.parametrize("other", [None, "bob@example.com"])
def test_confirming_elsewhere_keeps_out_whoever_signed_up(cast, client, other):
    """A stranger signed up with Dora's address and waits for her to confirm it: nothing of theirs lets them in."""
    sign_up(client)
    stranger = User.objects.get(email=DORA)
    SocialAccount.objects.create(user=stranger, provider="microsoft", uid="stranger")
    owner = Client()
    if other:
        enter(owner, other)
    answer = confirm(owner)
    assert answer.redirect_chain[-1][0] == "/account/password/reset/"
    assert "their password is void: set a new one" in answer.content.decode()
    assert not is_in(client)
    assert not is_in(owner)
    assert not UserSession.objects.filter(user=stranger).exists()
    assert not SocialAccount.objects.exists()
    enter(client)
    assert not is_in(client)
    new = "Another-horse-9"
    reset(owner, new)
    assert enter(owner, password=new).headers["Location"] == "/"
    assert (is_in(client), is_in(owner)) == (False, True)


@pytest.mark.django_db
def test_resetting_before_confirming_disconnects_what_a_stranger_connected(client):
    sign_up(client)
    SocialAccount.objects.create(user=User.objects.get(), provider="microsoft", uid="stranger")
    reset(Client(), "Another-horse-9")
    assert not SocialAccount.objects.exists()


@pytest.mark.django_db
def test_another_address_is_confirmed_anywhere_and_keeps_the_password(client):
    sign_up(client)
    confirm(client)
    reauthenticate(client)
    client.post("/account/email/", {"action_add": "", "email": "mine@example.com"})
    assert confirm(email="mine@example.com").redirect_chain[-1][0] == "/account/login/"
    assert is_in(client)


@pytest.mark.django_db
def test_a_locked_account_is_opened_by_the_link_in_the_mail(client):
    sign_up(client)
    with clock.freeze(clock.now() + timedelta(hours=5)):
        confirm()
        again = Client()
        reset(again, PASSWORD)
        enter(again)
        assert is_in(again)
    assert User.objects.get(email=DORA).verify_by is None


@pytest.mark.django_db
def test_a_locked_person_asks_for_the_link_again(client):
    sign_up(client)
    with clock.freeze(clock.now() + timedelta(hours=5)):
        cache.clear()  # three minutes are over
        assert Client().post("/account/verify/", {"email": DORA.upper()}).status_code == 302
        assert len(mails_to(DORA)) == 2
        confirm()
        reset(client, PASSWORD)
        assert enter(client).headers["Location"] == "/"


@pytest.mark.django_db
def test_the_owner_of_the_address_takes_the_account_over(client):
    """Somebody signed up with another's address: its owner takes the account over, the other is out."""
    sign_up(client)
    new = "Another-horse-9"
    with clock.freeze(clock.now() + timedelta(hours=5)):
        owner = Client()
        reset(owner, new)
        assert not is_in(client)
        assert enter(owner, password=new).headers["Location"] == "/account/verify/"
        cache.clear()  # three minutes are over
        owner.post("/account/verify/", {"email": DORA})
        confirm(owner)
        reset(owner, new)
        enter(client)
        enter(owner, password=new)
        assert (is_in(client), is_in(owner)) == (False, True)


@pytest.mark.django_db
def test_the_link_is_sent_again_once_in_three_minutes_only(client):
    sign_up(client)
    cache.clear()
    for _ in range(5):
        Client().post("/account/verify/", {"email": DORA})
    assert len(mails_to(DORA)) == 2


@pytest.mark.django_db
def test_asking_for_a_link_tells_nobody_who_has_an_account(cast):
    known, unknown = (
        Client().post("/account/verify/", {"email": email}, follow=True)
        for email in (cast.alice.email, "nobody@example.com")
    )
    token = re.compile(rb"\b[A-Za-z0-9]{64}\b")
    assert token.sub(b"", known.content) == token.sub(b"", unknown.content)
    assert mails_to("nobody@example.com") == []


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["", "dora", "dora@example.com\r\nBcc: x@example.com"])
def test_asking_for_a_link_to_no_address(client, email):
    assert client.post("/account/verify/", {"email": email}).status_code == 422


@pytest.mark.django_db
def test_nothing_is_added_to_an_account_that_is_not_shown_to_be_ones_own(client):
    """Whoever signs up with somebody else's address would keep a way in when its owner takes the account over."""
    sign_up(client)
    reauthenticate(client)
    answer = client.post("/account/email/", {"action_add": "", "email": "mine@example.com"})
    assert "Confirm the address that you signed up with first" in answer.content.decode()
    assert [one.email for one in EmailAddress.objects.all()] == [DORA]


@pytest.mark.django_db
def test_a_confirmed_person_adds_an_address_and_signs_in_with_it(client):
    sign_up(client)
    confirm(client)
    reauthenticate(client)
    client.post("/account/email/", {"action_add": "", "email": "mine@example.com"})
    client.post("/account/email/", {"action_primary": "", "email": "mine@example.com"})
    assert User.objects.get().email == DORA
    Client().post(link_to("mine@example.com"))
    client.post("/account/email/", {"action_primary": "", "email": "mine@example.com"})
    assert User.objects.get().email == "mine@example.com"
    assert "from dora@example.com to mine@example.com" in mails_to(DORA)[-1].body


@pytest.mark.django_db
def test_an_address_that_is_too_long_is_not_cut_into_another(client):
    sign_up(client)
    confirm(client)
    reauthenticate(client)
    client.post("/account/email/", {"action_add": "", "email": "x" * 250 + "@example.com"})
    assert EmailAddress.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["nonsense", "MQ:1abc:forged", "-"])
def test_a_forged_link_confirms_nothing(client, key):
    sign_up(client)
    assert client.post(f"/account/confirm-email/{key}/").status_code in (200, 404)
    assert User.objects.get(email=DORA).verify_by is not None


@pytest.mark.django_db
def test_people_made_by_staff_wait_for_nothing(cast):
    with clock.freeze(clock.now() + timedelta(days=30)):
        client = Client()
        enter(client, cast.alice.email)
        assert is_in(client)


@pytest.mark.django_db
def test_a_taken_address_makes_no_second_account(cast):
    assert sign_up(Client(), email=cast.alice.email.upper()).status_code == 200
    assert User.objects.filter(email__iexact=cast.alice.email).count() == 1
