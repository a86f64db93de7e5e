"""The demo's four people and its key, made by the services."""

from __future__ import annotations

from apps.api import keys
from apps.api.models import ApiKey
from apps.orgs.models import Membership, Team
from apps.orgs.services import create_organization
from apps.projects.services import create_project
from oecsh.embedded.demo_people import ensure_api_key, ensure_people

PASSWORD = "Another-horse-8"


def test_four_people_with_four_roles_and_a_key(cast):
    organization = create_organization(name="Demo", owner=cast.charlie)
    project = create_project(organization=organization, name="Shop", odoo_version="19.0", actor=cast.charlie)
    people = [ensure_people(organization, project, cast.charlie, PASSWORD) for _ in range(2)][-1]
    assert [person["role"] for person in people] == ["owner", "admin", "developer", "viewer"]
    roles = Membership.objects.filter(organization=organization).values_list("user__email", "role")
    assert dict(roles) == {person["email"]: person["role"] for person in people}
    cast.bob.refresh_from_db()
    assert cast.bob.check_password(PASSWORD)
    assert cast.bob.has_perm("project.environments.deploy", project)
    assert cast.bob.has_perm("project.environments.vars.manage", project)
    assert not cast.vera.has_perm("project.environments.deploy", project)
    assert Team.objects.filter(organization=organization).count() == 1
    text = ensure_api_key(organization, cast.charlie)
    assert keys.open_key(text).kind == ApiKey.Kind.READ_WRITE
