"""Signing in by another company's account (features ACC-2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.test import Client

from apps.accounts.models import User
from apps.audit.models import Event
from apps.core import clock
from tests.accounts.company import DORA, OPENID, is_in, way
from tests.accounts.mailbox import mails_to
from tests.cast import PASSWORD

GITHUB_MAILS = [
    {"email": "second@example.com", "verified": True, "primary": False},
    {"email": "dora@example.com", "verified": True, "primary": True},
]


def sign_in_by_password(user: User) -> Client:
    client = Client()
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    assert is_in(client)
    # What changes the way in asks for the password once more.
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


@pytest.mark.django_db
def test_a_new_person_comes_with_a_verified_address(client, company):
    company.person = DORA
    way(client)
    person = User.objects.get()
    assert is_in(client)
    assert (person.email, person.display_name, person.verify_by) == ("dora@example.com", "Dora Marsh", None)
    assert not person.has_usable_password()
    assert SocialAccount.objects.get().uid == DORA["sub"]
    assert not SocialToken.objects.exists()
    assert Event.objects.filter(action="account.created", actor_id=person.pk, after__by="company").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "person", "pages"),
    [
        ("/account/github", {"id": 7, "login": "dora", "name": "Dora"}, {"user/emails": GITHUB_MAILS}),
        ("/account/gitlab", {"id": 7, "email": DORA["email"], "confirmed_at": "2024-01-01T00:00:00Z"}, {}),
        ("/account/google", DORA, {}),
        (OPENID, DORA | {"email_verified": "true"}, {}),
    ],
)
def test_each_company_is_believed_what_it_verified(client, company, address, person, pages):
    company.person, company.pages = person, pages
    way(client, address)
    assert is_in(client)
    assert User.objects.get().verify_by is None
    assert [one.email for one in User.objects.get().emailaddress_set.all()] == ["dora@example.com"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "person", "pages"),
    [
        (OPENID, DORA | {"email_verified": False}, {}),
        (OPENID, DORA | {"email_verified": "false"}, {}),
        (OPENID, {"sub": "1", "email": "dora@example.com"}, {}),
        (OPENID, {"sub": "1"}, {}),
        (OPENID, DORA | {"email": "no address"}, {}),
        (OPENID, DORA | {"email": "x" * 300 + "@example.com"}, {}),
        ("/account/github", {"id": 7}, {"user/emails": [GITHUB_MAILS[1] | {"verified": False}]}),
        ("/account/gitlab", {"id": 7, "email": DORA["email"], "confirmed_at": None}, {}),
        ("/account/google", DORA | {"email_verified": False}, {}),
    ],
)
def test_an_address_that_nobody_verified_makes_no_account(client, company, address, person, pages):
    company.person, company.pages = person, pages
    answer = way(client, address)
    assert answer.redirect_chain[-1][0] == "/account/login/"
    assert "e-mail address" in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_where_nobody_vouches_the_address_is_confirmed_by_mail(client, company):
    company.person = {"id": "1-2-3", "mail": "dora@example.com", "displayName": "Dora"}
    way(client, "/account/microsoft")
    assert is_in(client)
    assert User.objects.get().verify_by is not None
    assert len(mails_to("dora@example.com")) == 1
    with clock.freeze(clock.now() + timedelta(hours=5)):
        assert not is_in(client)


@pytest.mark.django_db
def test_a_tenants_administrators_vouch_for_its_addresses(client, company, settings):
    application = settings.SOCIALACCOUNT_PROVIDERS["microsoft"]["APPS"][0]
    application["settings"] |= {"tenant": "northwind", "verified_email": True}
    company.person = {"id": "1-2-3", "mail": "dora@example.com"}
    way(client, "/account/microsoft")
    assert User.objects.get().verify_by is None
    assert "/northwind/oauth2/v2.0/token" in company.asked


@pytest.mark.django_db
def test_the_same_subject_is_the_same_person_whatever_the_address(client, company):
    company.person = DORA
    way(client)
    company.person = DORA | {"email": "other@example.com", "email_verified": False}
    again = Client()
    way(again)
    assert is_in(again)
    assert User.objects.get().email == "dora@example.com"


@pytest.mark.django_db
def test_another_subject_with_the_same_address_is_nobody(cast, company):
    company.person = DORA
    way(Client())
    company.person = DORA | {"sub": "stranger"}
    client = Client()
    answer = way(client)
    assert "There is an account with dora@example.com already" in answer.content.decode()
    assert not is_in(client)
    assert SocialAccount.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@example.com"])
def test_a_taken_address_joins_nothing(cast, client, company, email):
    company.person = DORA | {"email": email}
    answer = way(client)
    assert "Sign in to it, then connect Company" in answer.content.decode()
    assert not is_in(client)
    assert not SocialAccount.objects.exists()


@pytest.mark.django_db
def test_the_owner_of_the_address_signs_in_and_connects(cast, company):
    company.person = DORA | {"email": "alice@example.com"}
    client = sign_in_by_password(cast.alice)
    way(client, process="connect")
    assert SocialAccount.objects.get().user == cast.alice
    other = Client()
    way(other)
    assert other.get("/account/").context["user"] == cast.alice
    assert Event.objects.filter(action="account.provider_connected", actor_id=cast.alice.pk).exists()


@pytest.mark.django_db
def test_somebody_elses_connected_account_is_not_taken_over(cast, company):
    company.person = DORA
    way(sign_in_by_password(cast.alice), process="connect")
    way(sign_in_by_password(cast.bob), process="connect")
    assert SocialAccount.objects.get().user == cast.alice


@pytest.mark.django_db
def test_connecting_asks_who_it_is_when_the_session_is_not_fresh(cast, sign_in, company):
    company.person = DORA
    answer = way(sign_in(cast.alice), process="connect", follow=False)
    assert answer.headers["Location"].startswith("/account/reauthenticate/")
    assert not SocialAccount.objects.exists()


@pytest.mark.django_db
def test_nothing_is_connected_before_the_address_is_confirmed(cast, company):
    company.person = DORA
    client = sign_in_by_password(cast.alice)
    cast.alice.verify_by = clock.now() + timedelta(hours=4)
    cast.alice.save()
    assert "Confirm your e-mail address first" in way(client, process="connect").content.decode()
    assert not SocialAccount.objects.exists()


@pytest.mark.django_db
def test_the_last_way_in_is_not_disconnected(client, company):
    company.person = DORA
    way(client)
    account = SocialAccount.objects.get()
    client.post("/account/3rdparty/", {"account": account.pk})
    assert SocialAccount.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["github", "gitlab", "google", "microsoft", "oidc/company", "oidc/other"])
@pytest.mark.parametrize("path", ["login/", "login/callback/"])
def test_what_is_not_configured_is_not_there(client, settings, name, path):
    settings.SOCIALACCOUNT_PROVIDERS = {}
    assert client.get(f"/account/{name}/{path}").status_code == 404
    assert "Sign in with" not in client.get("/account/login/").content.decode()


@pytest.mark.django_db
def test_the_ways_are_offered(client, company):
    page = client.get("/account/login/").content.decode()
    for name in ("GitHub", "GitLab", "Google", "Microsoft", "Company"):
        assert f"Sign in with {name}" in page
