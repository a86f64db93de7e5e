"""What an older database holds keeps its meaning: the functions of the migrations, on rows as they were before."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from guardian.models import GroupObjectPermission, UserObjectPermission

from apps.accounts.models import User
from apps.operations.models import Operation
from apps.orgs.access import codes_on
from apps.orgs.models import Team
from apps.orgs.roles import CODES_BY_ROLE
from apps.projects.models import Project
from tests.factories import make_environment, make_project


def run(module: str, function: str) -> None:
    getattr(import_module(module), function)(apps, None)


def test_memberships_get_their_rows(cast):
    before = set(UserObjectPermission.objects.values_list("user", "permission", "object_pk"))
    UserObjectPermission.objects.all().delete()
    for _ in range(2):  # again is harmless
        run("apps.orgs.migrations.0004_rights", "copy_roles")
    assert set(UserObjectPermission.objects.values_list("user", "permission", "object_pk")) == before
    assert User.objects.get(pk=cast.anna.pk).has_perm("org.update", cast.acme)


def test_developers_keep_exactly_what_they_had(cast):
    shop, wiki = make_project(cast.acme, "Shop"), make_project(cast.acme, "Wiki")
    make_project(cast.umbrella, "Theirs")
    Team.objects.all().delete()
    assert not GroupObjectPermission.objects.exists()
    assert not Project.objects.visible_to(cast.bob).exists()
    run("apps.projects.migrations.0002_roles", "keep_what_developers_reach")
    assert set(Project.objects.visible_to(cast.bob)) == {shop, wiki}
    assert codes_on(User.objects.get(pk=cast.bob.pk), shop) == CODES_BY_ROLE["org_member"]
    assert Team.objects.get().organization == cast.acme


def test_operations_get_the_project_of_their_environment(cast):
    environment = make_environment(make_project(cast.acme, "Shop"))
    old = [
        Operation.objects.create(
            kind="old", subject_type=kind, subject_id=subject, organization=cast.acme, lock_key=kind
        )
        for kind, subject in (("environments.environment", environment.pk), ("servers.server", cast.acme.pk))
    ]
    run("apps.environments.migrations.0002_projects_of_operations", "fill")
    for operation in old:
        operation.refresh_from_db()
    assert [operation.project_id for operation in old] == [environment.project_id, None]
