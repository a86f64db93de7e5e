"""Whatever is wrong with a request is told in one shape."""

from __future__ import annotations

import pytest

from tests.factories import make_environment, make_project

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "nothing",
        '{"a": NaN}',
        b'{"a": "\xff"}',
        DEEP,
        '{"a": ' + "9" * 5000 + "}",
        '{"\\ud800": 1}',
        '["\\udfff"]',
    ],
)
def test_what_is_not_json(alice, body):
    answer = alice.post("/environments", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed_json")


@pytest.mark.parametrize("body", ["[]", '"text"', "1", "null", "{}"])
def test_json_of_another_shape(alice, body):
    answer = alice.post("/environments", body)
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_error")


def test_a_body_that_is_too_large(alice, settings):
    settings.API_BODY_BYTES = 100
    answer = alice.post("/environments", {"name": "x" * 101})
    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


def test_another_kind_of_body(cast, alice, client):
    answer = client.post("/api/public/v1/environments", {"a": "b"}, headers={"Authorization": f"Bearer {alice.text}"})
    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")


def test_each_wrong_field_is_named(cast, alice):
    project = make_project(cast.acme)
    wanted = {"project_id": str(project.pk), "env_type": "weird", "cpu": "much", "colour": "green"}
    detail = {one["field"]: one["message"] for one in alice.post("/environments", wanted).json()["detail"]}
    assert detail == {"colour": "There is no such field."}
    del wanted["colour"]
    detail = {one["field"] for one in alice.post("/environments", wanted).json()["detail"]}
    assert detail == {"env_type", "cpu"}


def test_what_a_service_refuses_names_the_field_by_its_name_here(cast, alice):
    project = make_project(cast.acme)
    wanted = {"project_id": str(project.pk), "env_type": "staging", "git_branch": "a..b"}
    answer = alice.post("/environments", wanted)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["detail"]] == ["git_branch"]


@pytest.mark.parametrize("text", ["a\0b", "a\nb", "\u202eabc", "x" * 500])
def test_names_that_are_none(cast, alice, text):
    answer = alice.post("/projects", {"name": text, "odoo_version": "19.0"})
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_error")


@pytest.mark.parametrize("text", ['{"\\u0000": "x"}', '{"a": "\\u0000"}', '{"a": {"b": 1}}'])
def test_parameters_that_no_database_takes(cast, alice, text):
    environment = make_environment(make_project(cast.acme))
    answer = alice.patch(f"/environments/{environment.pk}", '{"odoo_parameters": ' + text + "}")
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_error")


@pytest.mark.parametrize("path", ["/", "/nothing", "/environments/x", "/environments/", "/me/"])
def test_an_unknown_address_is_told_as_json(alice, path):
    answer = alice.get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_a_method_that_is_not_there(alice):
    answer = alice("PUT", "/me", {})
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


def test_a_stored_script_is_only_text(cast, alice):
    answer = alice.post("/projects", {"name": "<script>alert(1)</script>", "odoo_version": "19.0"})
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.json()["name"] == "<script>alert(1)</script>"


def test_what_nobody_expected_has_a_reference(cast, alice, caplog):
    # A stored value that the code never writes: the only way to fail without touching the code.
    from apps.environments.models import Environment

    environment = make_environment(make_project(cast.acme))
    Environment.objects.filter(pk=environment.pk).update(odoo_parameters="no dictionary")
    answer = alice.get(f"/environments/{environment.pk}")
    body = answer.json()
    assert (answer.status_code, body["error"]) == (500, "internal_error")
    assert body["message"].rpartition(" ")[2] in caplog.text
