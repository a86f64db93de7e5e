"""How often a key may ask."""

from __future__ import annotations

import pytest

from apps.api import limits


def test_every_answer_says_how_the_limit_stands(alice):
    first, second = alice.get("/me"), alice.get("/me")
    assert first["X-RateLimit-Limit"] == second["X-RateLimit-Limit"] == "120"
    assert first["X-RateLimit-Window"] == "60"
    assert int(first["X-RateLimit-Remaining"]) == 119
    assert int(second["X-RateLimit-Remaining"]) == 118


def test_writes_are_counted_apart(cast, alice, settings):
    settings.API_WRITES_PER_MINUTE = 2
    assert [alice.post("/environments", {}).status_code for _ in range(3)] == [422, 422, 429]
    answer = alice.post("/environments", {})
    body = answer.json()
    assert body["error"] == "rate_limit_exceeded"
    assert 1 <= body["retry_after"] <= 60
    assert answer["Retry-After"] == str(body["retry_after"])
    assert (answer["X-RateLimit-Limit"], answer["X-RateLimit-Remaining"]) == ("2", "0")
    assert alice.get("/me")["X-RateLimit-Limit"] == "120"


def test_reads_are_limited(cast, alice, settings, program):
    settings.API_READS_PER_MINUTE = 2
    assert [alice.get("/me").status_code for _ in range(3)] == [200, 200, 429]
    other = program(cast.acme, cast.alice)
    assert other.get("/me").status_code == 200


def test_a_reading_key_that_writes_uses_up_its_reads(cast, program, settings):
    settings.API_READS_PER_MINUTE = 1
    reader = program(cast.acme, cast.alice, "ro")
    assert [reader.post("/environments", {}).status_code for _ in range(2)] == [403, 429]


def test_without_redis_requests_go_on_and_are_limited(alice, settings, caplog):
    counter = limits._Counter()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert [counter.take("read", "somebody", 2).retry_after > 0 for _ in range(3)] == [False, False, True]
    assert "without Redis" in caplog.text


def test_changes_of_webhooks_have_a_limit_of_their_own(settings):
    settings.API_WEBHOOK_WRITES_PER_MINUTE = 1
    limits.take_webhook_change("somebody's key", "somebody")
    with pytest.raises(limits.RateLimitExceeded, match="This key may send 1"):
        limits.take_webhook_change("somebody's key", "somebody")


def test_more_keys_are_no_more_than_some_keys_worth(cast, program, settings):
    settings.API_READS_PER_MINUTE, settings.API_KEYS_WORTH_PER_PERSON = 2, 2
    first, second, third = (program(cast.acme, cast.alice) for _ in range(3))
    assert [first.get("/me").status_code for _ in range(3)] == [200, 200, 429]  # the third is not counted for Alice
    assert [second.get("/me").status_code for _ in range(2)] == [200, 200]
    refused = third.get("/me")
    assert (refused.status_code, refused.json()["error"]) == (429, "rate_limit_exceeded")
    assert refused.json()["message"].startswith("All keys of this person together may send 4 such requests")
    assert (refused["X-RateLimit-Limit"], refused["X-RateLimit-Remaining"]) == ("4", "0")
    assert third.post("/environments", {}).status_code == 422
    assert program(cast.acme, cast.anna).get("/me").status_code == 200
