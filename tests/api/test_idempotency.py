"""A request with an Idempotency-Key acts once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from apps.api import idempotency
from apps.api.models import IdempotentAnswer
from apps.core import clock
from apps.projects.models import Project
from tests.api.conftest import make_program
from tests.cast import make_cast

WANTED = {"name": "Shop", "odoo_version": "19.0"}
KEY = {"Idempotency-Key": "one"}


def test_the_second_one_gets_the_first_ones_answer(cast, alice):
    first, second = (alice.post("/projects", WANTED, **KEY) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert Project.objects.count() == 1


def test_another_body_is_another_request(cast, alice):
    alice.post("/projects", WANTED, **KEY)
    answer = alice.post("/projects", WANTED | {"name": "Other"}, **KEY)
    assert (answer.status_code, answer.json()["error"]) == (422, "api.idempotency_key_reused")
    other_address = alice.post("/servers", WANTED, **KEY)
    assert other_address.json()["error"] == "api.idempotency_key_reused"
    assert Project.objects.count() == 1


def test_each_key_of_ours_has_its_own(cast, alice, program):
    alice.post("/projects", WANTED, **KEY)
    other = program(cast.acme, cast.anna).post("/projects", WANTED | {"name": "Other"}, **KEY)
    assert other.status_code == 201
    assert Project.objects.count() == 2


def test_a_refused_request_may_be_sent_again(cast, alice):
    refused = alice.post("/projects", WANTED | {"odoo_version": "1.0"}, **KEY)
    assert refused.status_code == 422
    assert alice.post("/projects", WANTED, **KEY).status_code == 201


def test_after_a_day_the_key_is_new(cast, alice):
    alice.post("/projects", WANTED, **KEY)
    with clock.freeze(clock.now() + timedelta(hours=23)):
        assert alice.post("/projects", WANTED, **KEY)["Idempotent-Replayed"] == "true"
    with clock.freeze(clock.now() + timedelta(hours=25)):
        again = alice.post("/projects", WANTED | {"name": "Later"}, **KEY)
        assert (again.status_code, again.json()["name"]) == (201, "Later")
    with clock.freeze(clock.now() + timedelta(hours=50)):
        assert idempotency.delete_old() == 1


def test_a_new_secret_is_not_stored_in_clear(cast, alice):
    wanted = {"name": "CI", "kind": "ro"}
    first, second = (alice.post("/api-keys", wanted, **KEY).json() for _ in range(2))
    assert first["key"] == second["key"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM api_idempotentanswer")
        assert first["key"] not in cursor.fetchone()[0]


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ä"])
def test_keys_that_are_none(cast, alice, key):
    answer = alice.post("/projects", WANTED, **{"Idempotency-Key": key.encode().decode("latin-1")})
    assert (answer.status_code, answer.json()["error"]) == (400, "api.invalid_idempotency_key")
    assert Project.objects.count() == 0


def test_reading_needs_none(cast, alice):
    alice.get("/projects", **KEY)
    assert IdempotentAnswer.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_at_once_act_once():
    cast = make_cast()
    alice = make_program(cast.acme, cast.alice)
    answers = []

    def send() -> None:
        try:
            answers.append(make_copy(alice).post("/projects", WANTED, **KEY))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1
    assert Project.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_whoever_waits_too_long_is_told(monkeypatch):
    cast = make_cast()
    alice = make_program(cast.acme, cast.alice)
    monkeypatch.setattr(idempotency, "PATIENCE", "100ms")
    answers = []

    def send() -> None:
        try:
            answers.append(alice.post("/projects", WANTED, **KEY))
        finally:
            connection.close()

    with transaction.atomic():
        IdempotentAnswer.objects.create(api_key=alice.key, idempotency_key="one", fingerprint="x")
        thread = threading.Thread(target=send)
        thread.start()
        thread.join()
    assert (answers[0].status_code, answers[0].json()["error"]) == (409, "api.idempotency_in_progress")


def make_copy(program):
    """The same key in a client of its own: clients are not made for several threads."""
    return type(program)(program.key, program.text)
