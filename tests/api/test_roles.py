"""Roles by the API: the table, and the organization's own."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.api.models import ApiKey
from apps.audit.models import Event
from apps.core.exceptions import Conflict
from apps.orgs import custom_roles
from apps.orgs.models import CustomRole
from apps.orgs.roles import CODES_BY_ROLE, ORDERED_CODES
from tests.factories import make_project

PATH = "/custom-roles"
WATCHER = {"name": "Watcher", "codes": ["project.view", "org.monitoring.view"]}


def test_the_table(cast, alice):
    table = alice.get("/roles").json()
    assert table["codes"] == list(ORDERED_CODES)
    rows = {row["name"]: row for row in table["roles"]}
    assert len(rows) == 9
    assert (rows["org_member"]["title"], rows["org_member"]["tier"]) == ("Developer", "organization")
    assert all(set(row["codes"]) == CODES_BY_ROLE[name] for name, row in rows.items())
    assert {row["tier"] for row in rows.values()} == {"platform", "organization", "project"}


def test_a_role_from_its_making_to_its_end(cast, alice):
    made = alice.post(PATH, WATCHER)
    assert made.status_code == 201
    role = made.json()
    assert (role["description"], role["codes"]) == ("", ["org.monitoring.view", "project.view"])
    path = f"{PATH}/{role['id']}"
    changed = alice.patch(path, {"description": "Looks on"}).json()
    assert (changed["name"], changed["description"], changed["codes"]) == ("Watcher", "Looks on", role["codes"])
    assert alice.patch(path, {"codes": ["project.view"]}).json()["codes"] == ["project.view"]
    assert [row["name"] for row in alice.get(PATH).json()["results"]] == ["Watcher"]
    assert alice.get(path).json()["codes"] == ["project.view"]
    assert [alice.delete(path).status_code for _ in range(2)] == [204, 404]
    assert Event.objects.filter(action="role.deleted").count() == 1


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"codes": ["project.view"]}, 422, "validation_error"),
        ({"name": "x", "codes": []}, 422, "validation_error"),
        ({"name": "x", "codes": "project.view"}, 422, "validation_error"),
        ({"name": "x", "codes": ["project.fly"]}, 422, "validation_error"),
        ({"name": "x", "codes": ["portal.admin"]}, 422, "validation_error"),
        ({"name": "x", "codes": ["project.view"], "owner": True}, 422, "validation_error"),
    ],
)
def test_what_is_refused(cast, alice, body, status, error):
    answer = alice.post(PATH, body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert not CustomRole.objects.exists()


def test_a_name_is_taken_once(cast, alice):
    assert alice.post(PATH, WATCHER).status_code == 201
    again = alice.post(PATH, WATCHER)
    assert (again.status_code, again.json()["error"]) == (409, "orgs.role_name_taken")


def test_nobody_writes_more_than_they_have(cast, program):
    annas = program(cast.acme, cast.anna)
    refused = annas.post(PATH, {"name": "Heir", "codes": ["org.delete"]})
    assert (refused.status_code, refused.json()["error"]) == (403, "orgs.more_than_own")
    role = custom_roles.create_role(organization=cast.acme, name="Heir", codes=["org.delete"], actor=cast.alice)
    for answer in (annas.patch(f"{PATH}/{role.pk}", {"name": "x"}), annas.delete(f"{PATH}/{role.pk}")):
        assert answer.json()["error"] == "orgs.more_than_own"


def test_a_permission_that_is_removed_meanwhile_stays_removed(cast, alice):
    """Somebody else narrows the role after the request has read it, and before it holds it."""
    role = custom_roles.create_role(
        organization=cast.acme, name="Watcher", codes=["org.view", "project.view"], actor=cast.alice
    )

    def narrow_first(execute, sql, params, many, context):
        if "FOR UPDATE" in sql and "orgs_customrole" in sql:
            CustomRole.objects.filter(pk=role.pk).update(codes=["org.view"], description="Narrower")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(narrow_first):
        changed = alice.patch(f"{PATH}/{role.pk}", {"name": "Onlooker"}).json()
    assert (changed["name"], changed["description"], changed["codes"]) == ("Onlooker", "Narrower", ["org.view"])
    assert alice.patch(f"{PATH}/{role.pk}", {"description": ""}).json()["description"] == ""


def test_nobody_widens_their_own(cast, program):
    role = custom_roles.create_role(
        organization=cast.acme, name="Roles", codes=["org.roles.manage", "org.view"], actor=cast.alice
    )
    custom_roles.give_role(role=role, user=cast.vera, actor=cast.alice)
    refused = program(cast.acme, cast.vera).patch(f"{PATH}/{role.pk}", {"name": "Mine"})
    assert (refused.status_code, refused.json()["error"]) == (403, "orgs.not_oneself")


def test_who_reads_and_who_writes(cast, program):
    role = custom_roles.create_role(organization=cast.acme, name="Watcher", codes=["project.view"], actor=cast.alice)
    path = f"{PATH}/{role.pk}"
    veras = program(cast.acme, cast.vera)
    assert (veras.get(path).status_code, veras.get("/roles").status_code) == (200, 200)
    assert (veras.post(PATH, WATCHER).status_code, veras.delete(path).status_code) == (403, 403)
    reader = program(cast.acme, cast.alice, ApiKey.Kind.READ_ONLY)
    assert reader.get(path).status_code == 200
    assert reader.delete(path).json()["error"] == "read_only_key"
    narrowed = program(cast.acme, cast.alice, project=make_project(cast.acme))
    assert (narrowed.get(path).status_code, narrowed.get("/roles").status_code) == (403, 403)
    stranger = program(cast.umbrella, cast.charlie)
    assert (stranger.get(path).status_code, stranger.delete(path).status_code) == (404, 404)
    assert stranger.get(PATH).json()["results"] == []


def test_a_role_that_is_gone_meanwhile(cast):
    role = custom_roles.create_role(organization=cast.acme, name="Heir", codes=["org.view"], actor=cast.alice)
    custom_roles.delete_role(role=CustomRole.objects.get(pk=role.pk), actor=cast.alice)
    for change in (
        lambda: custom_roles.update_role(role=role, name="Other", codes=[], actor=cast.alice),
        lambda: custom_roles.delete_role(role=role, actor=cast.alice),
        lambda: custom_roles.give_role(role=role, user=cast.bob, actor=cast.alice),
    ):
        with pytest.raises(Conflict) as caught:
            change()
        assert caught.value.code == "orgs.role_gone"
