"""What one member may, by the API: why, roles of the organization's own, exceptions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.accounts.models import User
from apps.api.models import ApiKey
from apps.audit.models import Event
from apps.core import clock
from apps.orgs import custom_roles, overrides
from apps.orgs.models import CustomRoleAssignment, Membership, PermissionOverride
from apps.orgs.project_roles import set_team_role
from tests.factories import make_project

DEPLOY, MONITOR = "project.environments.deploy", "org.monitoring.manage"


@pytest.fixture
def project(cast):
    return make_project(cast.acme)


@pytest.fixture
def role(cast):
    return custom_roles.create_role(organization=cast.acme, name="Deployer", codes=[DEPLOY], actor=cast.alice)


def path_of(cast, person: User, what: str) -> str:
    return f"/members/{Membership.objects.get(organization=cast.acme, user=person).pk}/{what}"


def may(person: User, code: str, target: object) -> bool:
    return User.objects.get(pk=person.pk).has_perm(code, target)


class TestWhy:
    def test_in_the_organization(self, cast, alice):
        body = alice.get(path_of(cast, cast.vera, "permissions")).json()
        rows = {row["code"]: row for row in body["permissions"]}
        assert body["project_id"] is None
        assert rows["org.view"] == {"code": "org.view", "has": True, "reasons": ["Viewer of the organization"]}
        assert "org.update" not in rows

    def test_on_a_project(self, cast, alice, project):
        overrides.set_override(
            organization=cast.acme, user=cast.bob, code="project.view", effect="deny", actor=cast.alice
        )
        body = alice.get(f"{path_of(cast, cast.bob, 'permissions')}?project_id={project.pk}").json()
        rows = {row["code"]: row for row in body["permissions"]}
        assert (body["project_id"], rows["project.view"]["has"]) == (str(project.pk), False)
        assert "Viewer on this project by the team Crew" in rows["project.view"]["reasons"]
        assert "taken away as an exception" in rows["project.view"]["reasons"]

    def test_a_project_that_is_not_there(self, cast, alice):
        foreign = make_project(cast.umbrella)
        for wanted in (foreign.pk, "x"):
            assert alice.get(f"{path_of(cast, cast.bob, 'permissions')}?project_id={wanted}").status_code == 422


class TestRoles:
    def test_given_and_taken(self, cast, alice, project, role):
        path = path_of(cast, cast.vera, "custom-roles")
        body = {"role_id": str(role.pk), "project_id": str(project.pk)}
        made = alice.post(path, body)
        assert made.status_code == 201
        given = made.json()
        assert (given["name"], given["everywhere"], given["project_id"]) == ("Deployer", False, str(project.pk))
        assert alice.post(path, body).json()["id"] == given["id"]
        assert may(cast.vera, DEPLOY, project)
        assert [row["id"] for row in alice.get(path).json()["results"]] == [given["id"]]
        assert [alice.delete(f"{path}/{given['id']}").status_code for _ in range(2)] == [204, 404]
        assert not may(cast.vera, DEPLOY, project)
        assert Event.objects.filter(action="role.given").count() == 1

    def test_everywhere(self, cast, alice, project, role):
        given = alice.post(path_of(cast, cast.vera, "custom-roles"), {"role_id": str(role.pk)}).json()
        assert (given["everywhere"], given["project_id"]) == (True, None)
        assert may(cast.vera, DEPLOY, project)

    def test_what_is_refused(self, cast, alice, program, role):
        foreign = custom_roles.create_role(
            organization=cast.umbrella, name="Theirs", codes=["org.view"], actor=cast.charlie
        )
        path = path_of(cast, cast.vera, "custom-roles")
        for body in ({}, {"role_id": str(foreign.pk)}, {"role_id": str(role.pk), "project_id": "x"}):
            assert alice.post(path, body).status_code == 422
        body = {"role_id": str(role.pk)}
        assert alice.post(path_of(cast, cast.alice, "custom-roles"), body).json()["error"] == "orgs.owner_exempt"
        annas = program(cast.acme, cast.anna)
        assert annas.post(path_of(cast, cast.anna, "custom-roles"), body).json()["error"] == "orgs.not_oneself"
        assert not CustomRoleAssignment.objects.exists()

    def test_another_members_role_is_not_there(self, cast, alice, role):
        given = custom_roles.give_role(role=role, user=cast.vera, actor=cast.alice)
        assert alice.delete(path_of(cast, cast.bob, f"custom-roles/{given.pk}")).status_code == 404
        assert CustomRoleAssignment.objects.exists()


class TestExceptions:
    def test_set_changed_and_removed(self, cast, alice):
        path = path_of(cast, cast.vera, "overrides")
        end = clock.now() + timedelta(hours=2)
        made = alice.post(path, {"code": MONITOR, "effect": "grant", "expires_at": end.isoformat(), "reason": "Duty"})
        assert made.status_code == 201
        first = made.json()
        assert (first["everywhere"], first["in_force"], first["reason"]) == (True, True, "Duty")
        assert may(cast.vera, MONITOR, cast.acme)
        second = alice.post(path, {"code": MONITOR, "effect": "deny"}).json()
        assert (second["id"], second["effect"], second["expires_at"]) == (first["id"], "deny", None)
        assert not may(cast.vera, MONITOR, cast.acme)
        assert [row["id"] for row in alice.get(path).json()["results"]] == [first["id"]]
        assert [alice.delete(f"{path}/{first['id']}").status_code for _ in range(2)] == [204, 404]
        assert Event.objects.filter(action="override.removed").count() == 1

    def test_one_that_has_ended_is_told_as_that(self, cast, alice):
        PermissionOverride.objects.create(
            organization=cast.acme,
            user=cast.vera,
            code=MONITOR,
            effect="grant",
            expires_at=clock.now() - timedelta(hours=1),
        )
        rows = alice.get(path_of(cast, cast.vera, "overrides")).json()["results"]
        assert [row["in_force"] for row in rows] == [False]

    @pytest.mark.parametrize(
        ("body", "status", "error"),
        [
            ({"code": MONITOR}, 422, "validation_error"),
            ({"code": MONITOR, "effect": "maybe"}, 422, "validation_error"),
            ({"code": "org.fly", "effect": "grant"}, 422, "validation_error"),
            ({"code": "portal.admin", "effect": "grant"}, 422, "validation_error"),
            ({"code": MONITOR, "effect": "grant", "expires_at": "2020-01-01T00:00:00Z"}, 422, "orgs.already_expired"),
            ({"code": MONITOR, "effect": "grant", "expires_at": "9000-01-01T00:00:00Z"}, 422, "orgs.ends_too_late"),
            ({"code": MONITOR, "effect": "grant", "expires_at": "soon"}, 422, "validation_error"),
        ],
    )
    def test_what_is_refused(self, cast, alice, body, status, error):
        answer = alice.post(path_of(cast, cast.vera, "overrides"), body)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert not PermissionOverride.objects.exists()

    def test_nobody_gives_or_takes_what_they_lack(self, cast, alice, program):
        annas = program(cast.acme, cast.anna)
        refused = annas.post(path_of(cast, cast.vera, "overrides"), {"code": "org.delete", "effect": "grant"})
        assert (refused.status_code, refused.json()["error"]) == (403, "orgs.more_than_own")
        own = annas.post(path_of(cast, cast.anna, "overrides"), {"code": MONITOR, "effect": "grant"})
        assert own.json()["error"] == "orgs.not_oneself"
        taken = overrides.set_override(
            organization=cast.acme, user=cast.vera, code="org.delete", effect="deny", actor=cast.alice
        )
        kept = annas.delete(path_of(cast, cast.vera, f"overrides/{taken.pk}"))
        assert (kept.status_code, PermissionOverride.objects.count()) == (403, 1)

    def test_a_project_that_is_not_seen_is_not_named(self, cast, program, project):
        set_team_role(team=cast.crew, project=project, role=None, actor=cast.alice)
        overrides.set_override(
            organization=cast.acme,
            user=cast.vera,
            code="project.update",
            effect="grant",
            project_id=project.pk,
            actor=cast.alice,
        )
        row = program(cast.acme, cast.bob).get(path_of(cast, cast.vera, "overrides")).json()["results"][0]
        assert (row["everywhere"], row["project_id"]) == (False, None)


@pytest.mark.parametrize("what", ["permissions", "custom-roles", "overrides"])
def test_who_reads(cast, program, project, what):
    path = path_of(cast, cast.bob, what)
    keys = [
        program(cast.acme, cast.vera, ApiKey.Kind.READ_ONLY),
        program(cast.acme, cast.alice, project=project),
        program(cast.umbrella, cast.charlie),
    ]
    assert [key.get(path).status_code for key in keys] == [200, 403, 404]


@pytest.mark.parametrize("what", ["custom-roles", "overrides"])
def test_who_writes(cast, program, project, role, what):
    body = {"role_id": str(role.pk)} if what == "custom-roles" else {"code": MONITOR, "effect": "grant"}
    keys = [
        program(cast.acme, cast.bob),
        program(cast.acme, cast.alice, ApiKey.Kind.READ_ONLY),
        program(cast.acme, cast.alice, project=project),
        program(cast.umbrella, cast.charlie),
    ]
    found = [key.post(path_of(cast, cast.vera, what), body).status_code for key in keys]
    assert found == [403, 403, 403, 404]
