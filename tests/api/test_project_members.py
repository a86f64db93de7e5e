"""People and teams on one project, by the API."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.api.models import ApiKey
from apps.audit.models import Event
from apps.orgs.models import Membership
from apps.orgs.project_roles import set_person_role
from tests.factories import make_project

DEPLOY = "project.environments.deploy"


@pytest.fixture
def project(cast):
    return make_project(cast.acme)


def member_of(cast, person: User) -> str:
    return str(Membership.objects.get(user=person).pk)


def put(program, project, member: str, role: object = "developer"):
    return program("PUT", f"/projects/{project.pk}/members/{member}", {"role": role})


def test_a_role_is_given_changed_and_taken(cast, alice, project):
    bob = member_of(cast, cast.bob)
    path = f"/projects/{project.pk}/members"
    given = [put(alice, project, bob).json() for _ in range(2)]
    assert given[0] == given[1]
    assert (given[0]["email"], given[0]["role"]) == ("bob@example.com", "developer")
    assert User.objects.get(pk=cast.bob.pk).has_perm(DEPLOY, project)
    assert put(alice, project, bob, "viewer").json()["role"] == "viewer"
    rows = alice.get(path).json()["results"]
    assert [(row["member_id"], row["role"]) for row in rows] == [(bob, "viewer")]
    assert [alice.delete(f"{path}/{bob}").status_code for _ in range(2)] == [204, 204]
    assert alice.get(path).json()["results"] == []
    assert Event.objects.filter(action="project.member_role_changed").count() == 3


def test_its_teams(cast, alice, project):
    rows = alice.get(f"/projects/{project.pk}/teams").json()["results"]
    assert rows == [{"team_id": str(cast.crew.pk), "name": "Crew", "role": "viewer"}]


def test_what_is_refused(cast, alice, project):
    bob = member_of(cast, cast.bob)
    for role in ("owner", "", None):
        assert put(alice, project, bob, role).status_code == 422
    assert put(alice, project, member_of(cast, cast.charlie)).status_code == 404
    assert put(alice, make_project(cast.umbrella), bob).status_code == 404


def test_nobody_gives_more_than_they_have(cast, program, project):
    """Bob gets the right to manage the project's people, and no more there than a Viewer has."""
    from apps.orgs import overrides

    overrides.set_override(
        organization=cast.acme,
        user=cast.bob,
        code="project.members.manage",
        effect="grant",
        project_id=project.pk,
        actor=cast.alice,
    )
    refused = put(program(cast.acme, cast.bob), project, member_of(cast, cast.vera), "admin")
    assert (refused.status_code, refused.json()["error"]) == (403, "orgs.more_than_own")


def test_a_projects_key_reaches_its_project_alone(cast, program, project):
    other = make_project(cast.acme, "Other")
    narrowed = program(cast.acme, cast.alice, project=project)
    vera = member_of(cast, cast.vera)
    assert put(narrowed, project, vera).status_code == 200
    assert put(narrowed, other, vera).status_code == 404
    assert narrowed.get(f"/projects/{other.pk}/members").status_code == 404
    assert len(narrowed.get(f"/projects/{project.pk}/members").json()["results"]) == 1


@pytest.mark.parametrize("what", ["members", "teams"])
def test_who_reads(cast, program, project, what):
    path = f"/projects/{project.pk}/{what}"
    keys = [
        program(cast.acme, cast.anna),
        program(cast.acme, cast.vera),
        program(cast.acme, cast.alice, ApiKey.Kind.READ_ONLY),
        program(cast.umbrella, cast.charlie),
    ]
    assert [key.get(path).status_code for key in keys] == [200, 403, 403, 404]


def test_who_writes(cast, program, project):
    set_person_role(user=cast.bob, project=project, role="developer", actor=cast.alice)
    vera = member_of(cast, cast.vera)
    keys = [
        program(cast.acme, cast.bob),
        program(cast.acme, cast.alice, ApiKey.Kind.READ_ONLY),
        program(cast.umbrella, cast.charlie),
    ]
    assert [put(key, project, vera).status_code for key in keys] == [403, 403, 404]
