"""What opens the API: keys, how they are sent, and when they stop."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from apps.api import keys
from apps.api.models import ApiKey
from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Problem
from apps.orgs.models import Membership
from tests.api.conftest import Program, make_program
from tests.factories import make_project

NOBODYS = uuid.UUID(int=0)


def test_a_key_says_who_it_is(cast, alice):
    answer = alice.get("/me").json()
    assert answer["user"]["email"] == "alice@example.com"
    assert answer["organization"] == {"id": str(cast.acme.pk), "name": "Acme", "slug": "acme", "role": "owner"}
    assert answer["api_key"]["kind"] == "rw"
    assert "project.environments.deploy" in answer["permissions"]


def test_the_text_of_a_key_is_given_once_and_kept_nowhere(cast):
    key, text = keys.create_key(organization=cast.acme, name="CI", kind="ro", actor=cast.alice)
    assert text.startswith("oec_live_ro_")
    assert len(text) == 44
    stored = ApiKey.objects.filter(pk=key.pk).values().get()
    assert text not in str(stored)
    assert stored["last_four"] == text[-4:]
    event = Event.objects.get(action="api_key.created")
    assert text not in str(event.after)


def test_without_a_key_nothing_opens(db, client):
    answer = client.get("/api/public/v1/me")
    assert answer.status_code == 401
    assert answer.json()["error"] == "missing_auth"
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("text", ["x", "oec_live_xx_" + "a" * 32, "oec_live_rw_" + "a" * 31, "oec_live_rw_" + "ä" * 32])
def test_what_is_no_key_is_told_apart_from_an_unknown_one(db, client, text):
    answer = client.get("/api/public/v1/me", headers={"X-API-Key": text.encode().decode("latin-1")})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_key_format")


def test_an_unknown_key_is_invalid(db, client):
    answer = client.get("/api/public/v1/me", headers={"X-API-Key": "oec_live_rw_" + "a" * 32})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_key")


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "Token x"])
def test_the_authorization_header_wins_even_where_it_is_wrong(cast, alice, client, header):
    answer = client.get("/api/public/v1/me", headers={"Authorization": header, "X-API-Key": alice.text})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_key_format")


def test_x_api_key_does_as_well(cast, alice, client):
    assert client.get("/api/public/v1/me", headers={"X-API-Key": alice.text}).status_code == 200


def test_a_bearer_wins_over_x_api_key(cast, alice, client):
    other = make_program(cast.umbrella, cast.charlie)
    headers = {"Authorization": f"bearer {other.text}", "X-API-Key": alice.text}
    assert client.get("/api/public/v1/me", headers=headers).json()["user"]["email"] == "charlie@example.com"


def test_a_session_opens_nothing(cast, sign_in):
    assert sign_in(cast.alice).get("/api/public/v1/me").status_code == 401


def test_an_expired_key(cast, program):
    soon = program(cast.acme, cast.alice, expires_at=clock.now() + timedelta(hours=1))
    assert soon.get("/me").status_code == 200
    with clock.freeze(clock.now() + timedelta(hours=2)):
        answer = soon.get("/me")
    assert (answer.status_code, answer.json()["error"]) == (401, "key_expired")


def test_a_revoked_key(cast, alice):
    keys.revoke_key(key=alice.key, actor=cast.anna)
    keys.revoke_key(key=alice.key, actor=cast.anna)
    answer = alice.get("/me")
    assert (answer.status_code, answer.json()["error"]) == (401, "key_revoked")
    assert Event.objects.filter(action="api_key.revoked").count() == 1


def test_a_key_falls_with_its_persons_membership(cast, program):
    annas = program(cast.acme, cast.anna)
    Membership.objects.get(user=cast.anna, organization=cast.acme).delete()
    answer = annas.get("/me")
    assert (answer.status_code, answer.json()["error"]) == (401, "key_revoked")


def test_a_key_of_somebody_locked_out(cast, alice):
    cast.alice.is_active = False
    cast.alice.save()
    assert alice.get("/me").json()["error"] == "key_disabled"


def test_a_key_of_somebody_who_did_not_confirm_the_address_in_time(cast, alice):
    cast.alice.verify_by = clock.now() + timedelta(hours=4)
    cast.alice.save()
    assert alice.get("/me").status_code == 200
    with clock.freeze(clock.now() + timedelta(hours=4, minutes=1)):
        assert alice.get("/me").json()["error"] == "key_disabled"


def test_the_last_use_is_noted_once_a_minute(cast, alice, django_assert_num_queries):
    now = clock.now()
    with clock.freeze(now):
        alice.get("/me")
        with django_assert_num_queries(1):
            keys.open_key(alice.text)
    with clock.freeze(now + timedelta(minutes=2)):
        keys.open_key(alice.text)
    alice.key.refresh_from_db()
    assert alice.key.last_used_at == now + timedelta(minutes=2)


def test_a_key_never_has_more_than_its_person(cast, program):
    bobs, veras = program(cast.acme, cast.bob), program(cast.acme, cast.vera)
    assert bobs.post("/api-keys", {"name": "More", "kind": "rw"}).status_code == 403
    assert "org.update" not in bobs.get("/me").json()["permissions"]
    assert all(code.endswith((".view", ".list")) for code in veras.get("/me").json()["permissions"])


def test_the_audit_trail_says_by_which_key(cast, alice):
    alice.post("/projects", {"name": "Shop", "odoo_version": "19.0"})
    event = Event.objects.get(action="project.created")
    assert (event.key_id, event.key_name, event.actor_id) == (alice.key.pk, "Test", cast.alice.pk)


def test_superusers_rights_end_at_the_keys_organization(cast, program):
    cast.alice.is_superuser = True
    cast.alice.save()
    alices = program(cast.acme, cast.alice)
    project = make_project(cast.umbrella)
    assert alices.get(f"/projects/{project.pk}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/projects", "/environments", "/api-keys", f"/tasks/{'0' * 8}-0000-4000-8000-{'0' * 12}/cancel"]
)
def test_a_reading_key_writes_nothing(cast, program, path):
    reader = program(cast.acme, cast.alice, "ro")
    answer = reader.post(path, {})
    assert (answer.status_code, answer.json()["error"]) == (403, "read_only_key")


def test_a_key_of_one_project_knows_no_other(cast, program):
    mine, other = make_project(cast.acme, "Mine"), make_project(cast.acme, "Other")
    narrow = program(cast.acme, cast.alice, project=mine)
    assert narrow.get(f"/projects/{mine.pk}").status_code == 200
    assert narrow.get(f"/projects/{other.pk}").status_code == 404
    assert narrow.patch(f"/projects/{other.pk}", {"name": "Taken"}).status_code == 404
    assert narrow.post("/environments", {"project_id": str(other.pk), "env_type": "staging"}).status_code == 404
    assert [row["name"] for row in narrow.get("/projects").json()["results"]] == ["Mine"]
    assert narrow.get("/members").status_code == 403
    assert narrow.get("/audit").status_code == 403


def test_who_may_make_keys(cast):
    with pytest.raises(Problem, match="Only a member"):
        keys.create_key(organization=cast.acme, name="x", kind="ro", actor=cast.sam)
    with pytest.raises(Problem, match="does not belong"):
        make_program(cast.acme, cast.alice, project=make_project(cast.umbrella))
    with pytest.raises(Problem, match="expired already"):
        make_program(cast.acme, cast.alice, expires_at=clock.now())
    with pytest.raises(ValidationError):
        keys.create_key(organization=cast.acme, name="a\nb", kind="ro", actor=cast.alice)
    with pytest.raises(ValidationError):
        keys.create_key(organization=cast.acme, name="x", kind="wo", actor=cast.alice)


def test_an_organization_has_so_many_keys(cast, monkeypatch):
    made = [make_program(cast.acme, cast.alice) for _ in range(keys.MOST_KEYS)]
    with pytest.raises(Problem, match="100 API keys"):
        make_program(cast.acme, cast.alice)
    keys.revoke_key(key=made[0].key, actor=cast.alice)
    assert make_program(cast.acme, cast.alice).get("/me").status_code == 200


def test_a_key_of_no_ones(cast):
    assert Program(None, "oec_live_ro_" + "b" * 32).get("/environments").status_code == 401
