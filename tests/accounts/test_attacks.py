"""Guessed passwords, forged headers, and addresses that lead elsewhere."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client

from apps.audit.models import Event
from tests.cast import PASSWORD


def enter(client: Client, user, password: str = PASSWORD, **details):
    return client.post(
        "/account/login/", {"login": user.email, "password": password, **details.pop("data", {})}, **details
    )


@pytest.mark.django_db
def test_guessed_passwords_are_limited_whatever_address_a_header_claims(cast):
    for number in range(6):
        answer = enter(Client(), cast.alice, "Wrong-horse-9", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    answer = enter(Client(), cast.alice, HTTP_X_FORWARDED_FOR="198.51.100.99", HTTP_X_REAL_IP="198.51.100.99")
    assert answer.status_code == 200
    assert "Too many" in answer.content.decode()
    events = Event.objects.filter(action="account.sign_in_failed", target_id=cast.alice.pk)
    assert events.count() == 5
    assert {event.ip_address for event in events} == {"127.0.0.1"}


@pytest.mark.django_db
def test_many_names_from_one_address_are_limited_too(cast):
    statuses = []
    for number in range(31):
        data = {"login": f"person{number}@example.com", "password": "Wrong-horse-9"}
        answer = Client().post("/account/login/", data, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
        statuses.append("Too many" in answer.content.decode() or answer.status_code == 429)
    assert any(statuses)


@pytest.mark.django_db
def test_a_wrong_password_and_an_unknown_person_look_alike(cast):
    known = enter(Client(), cast.alice, "Wrong-horse-9").context["form"].errors
    data = {"login": "nobody@example.com", "password": "Wrong-horse-9"}
    assert Client().post("/account/login/", data).context["form"].errors == known


@pytest.mark.django_db
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "https:evil.example",
        "javascript:alert(1)",
        "http://testserver@evil.example/",
        "/\t/evil.example/",
    ],
)
def test_nobody_is_led_elsewhere_after_signing_in(cast, target):
    answer = enter(Client(), cast.alice, data={"next": target})
    assert answer.headers["Location"] == "/"


@pytest.mark.django_db
def test_one_goes_on_to_where_one_wanted(cast):
    assert enter(Client(), cast.alice, data={"next": "/o/acme/"}).headers["Location"] == "/o/acme/"


@pytest.mark.django_db
def test_a_forged_host_is_refused(client, settings):
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    assert client.get("/account/login/", HTTP_HOST="evil.example").status_code == 400
    assert client.get("/account/login/", HTTP_HOST="portal.example.com").status_code == 200


@pytest.mark.django_db
def test_links_in_mails_are_ours_whatever_the_host_says(cast, client, settings):
    settings.PORTAL_URL = "https://portal.example.com"
    headers = {"HTTP_HOST": "evil.example", "HTTP_X_FORWARDED_HOST": "evil.example"}
    cast.alice.emailaddress_set.create(email=cast.alice.email, verified=False, primary=True)
    client.post("/account/password/reset/", {"email": cast.alice.email}, **headers)
    client.post("/account/password/reset/", {"email": "nobody@example.com"}, **headers)
    client.post("/account/verify/", {"email": cast.alice.email}, **headers)
    client.post(
        "/account/signup/", {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD}, **headers
    )
    assert len(mail.outbox) == 4
    for message in mail.outbox:
        assert "evil.example" not in message.body + message.subject
        assert "https://portal.example.com/" in message.body


@pytest.mark.django_db
def test_a_closed_account_is_closed(cast):
    cast.alice.is_active = False
    cast.alice.save()
    assert enter(Client(), cast.alice).headers["Location"] == "/account/inactive/"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["login", "signup", "logout", "password/reset", "verify"])
def test_forms_without_our_token_are_refused(path):
    assert Client(enforce_csrf_checks=True).post(f"/account/{path}/", {}).status_code == 403
