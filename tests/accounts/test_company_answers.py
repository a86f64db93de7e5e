"""What companies answer wrongly, and what others make of their answers."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests
from django.test import Client

from apps.accounts.models import User
from tests.accounts.company import DORA, OPENID, is_in, way


@pytest.mark.django_db
def test_two_subjects_in_one_answer_are_nobody(client, company):
    company.person = DORA
    company.wrong = {"sub": "somebody else"}
    answer = way(client)
    assert "That did not work" in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [{"iss": "https://evil.example"}, {"aud": "another application"}, {"exp": 1}],
    ids=["issuer", "audience", "old"],
)
def test_a_token_made_for_others_is_refused(client, company, wrong):
    company.person = DORA
    company.wrong = wrong
    assert "That did not work" in way(client).content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "pages",
    [
        {"userinfo": "this is not JSON"},
        {"userinfo": ["dora"]},
        {"userinfo": {"email": "dora@example.com", "email_verified": True}},
        {"userinfo": {"sub": "", "email": "dora@example.com", "email_verified": True}},
        {"token": "<html>"},
        {"openid-configuration": {}},
    ],
)
def test_an_answer_without_sense_is_a_page(client, company, pages):
    company.person, company.pages = DORA, pages
    answer = client.post(f"{OPENID}/login/?process=login")
    if answer.status_code == 200 and "target" in answer.context:
        answer = way(client)
    assert answer.status_code in (200, 401, 502)
    assert "That did not work" in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_company_that_is_silent_is_a_page(client, company):
    company.close()
    answer = client.post(f"{OPENID}/login/?process=login")
    assert "That did not work" in answer.content.decode()


@pytest.mark.django_db
def test_saying_no_at_the_company_signs_nobody_in(client, company):
    company.says_no = True
    assert "You said no" in way(client).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["", "code=1", "code=1&state=forged", "error=access_denied"])
def test_coming_back_without_having_left_signs_nobody_in(client, company, query):
    company.person = DORA
    answer = client.get(f"{OPENID}/login/callback/?{query}")
    assert answer.status_code in (200, 302, 401)
    assert not is_in(client)


@pytest.mark.django_db
def test_another_browsers_way_back_signs_nobody_in(client, company):
    """Somebody is made to come back with the code of an attacker."""
    company.person = DORA
    target = client.post(f"{OPENID}/login/?process=login").context["target"]
    back = urlsplit(requests.get(target, allow_redirects=False, timeout=10).headers["Location"])
    victim = Client()
    victim.get(f"{back.path}?{back.query}")
    assert not is_in(victim)


@pytest.mark.django_db
def test_a_link_alone_signs_nobody_in(client, company):
    answer = client.get(f"{OPENID}/login/?process=login")
    assert answer.status_code == 200
    assert company.asked == []
