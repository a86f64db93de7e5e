"""The page of API keys."""

from __future__ import annotations

import re

from apps.api.models import ApiKey
from apps.core import clock
from tests.api.conftest import Program, make_program
from tests.factories import make_project

ADDRESS = "/o/acme/settings/keys/"
WANTED = {"name": "CI", "kind": "rw", "project": "", "expires": "30"}


def test_a_new_key_is_shown_once_and_opens(cast, sign_in):
    anna = sign_in(cast.anna)
    answer = anna.post(ADDRESS, WANTED)
    text = re.search(r"oec_live_rw_[A-Za-z0-9]{32}", answer.content.decode()).group()
    assert "no-store" in answer["Cache-Control"]
    assert Program(None, text).get("/me").json()["user"]["email"] == "anna@example.com"
    assert text not in anna.get(ADDRESS).content.decode()
    assert (ApiKey.objects.get().expires_at - clock.now()).days in (29, 30)


def test_a_key_of_one_project_that_never_expires(cast, sign_in):
    project = make_project(cast.acme)
    sign_in(cast.alice).post(ADDRESS, WANTED | {"project": project.pk, "expires": "never"})
    key = ApiKey.objects.get()
    assert (key.project, key.expires_at) == (project, None)


def test_another_organizations_project_is_no_choice(cast, sign_in):
    answer = sign_in(cast.alice).post(ADDRESS, WANTED | {"project": make_project(cast.umbrella).pk})
    assert answer.status_code == 422
    assert ApiKey.objects.count() == 0


def test_bad_input_stays_in_the_form(cast, sign_in):
    answer = sign_in(cast.alice).post(ADDRESS, WANTED | {"name": "", "kind": "wo", "expires": "tomorrow"})
    assert answer.status_code == 422
    assert ApiKey.objects.count() == 0


def test_revoking(cast, sign_in):
    program = make_program(cast.acme, cast.alice)
    answer = sign_in(cast.anna).post(f"{ADDRESS}{program.key.pk}/revoke/")
    assert answer.url == ADDRESS
    assert program.get("/me").json()["error"] == "key_revoked"
    assert "revoked" in sign_in(cast.anna).get(ADDRESS).content.decode()


def test_a_script_in_a_name_is_text(cast, sign_in):
    sign_in(cast.alice).post(ADDRESS, WANTED | {"name": "<script>alert(1)</script>"})
    page = sign_in(cast.alice).get(ADDRESS).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_page_asks_as_often_whatever_its_length(cast, sign_in, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    anna = sign_in(cast.anna)
    make_program(cast.acme, cast.alice)
    anna.get(ADDRESS)
    with CaptureQueriesContext(connection) as few:
        anna.get(ADDRESS)
    for _ in range(5):
        make_program(cast.acme, cast.alice, project=make_project(cast.acme, "More"))
    with django_assert_num_queries(len(few)):
        anna.get(ADDRESS)
