"""Roles and exceptions of the scene's people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from apps.core import clock
from apps.orgs import custom_roles, overrides, project_roles, teams
from apps.orgs.models import CustomRole, Membership, PermissionOverride

if TYPE_CHECKING:
    from tests.browser.scene import Scene


def add_rights(scene: Scene) -> None:
    """Two more teams, an own role that Bob has, and an exception of his that ends."""
    alice, bob = scene.cast.alice, scene.cast.bob
    for name, colour, role in (("Operators", "blue", "admin"), ("Consultants of customers", "amber", "developer")):
        team = teams.create_team(organization=scene.organization, name=name, colour=colour, actor=alice)
        teams.add_to_team(team=team, user=scene.cast.vera, actor=alice)
        project_roles.set_team_role(team=team, project=scene.projects[1], role=role, actor=alice)
    project_roles.set_person_role(user=bob, project=scene.projects[1], role="developer", actor=alice)
    role = custom_roles.create_role(
        organization=scene.organization,
        name="Mover",
        description="Brings customers over",
        codes=["org.migrations.manage", "org.monitoring.manage"],
        actor=alice,
    )
    custom_roles.give_role(role=role, user=bob, actor=alice)
    overrides.set_override(
        organization=scene.organization,
        user=bob,
        code="project.environments.deploy",
        effect=PermissionOverride.Effect.DENY,
        expires_at=clock.now() + timedelta(days=3),
        reason="On leave",
        actor=alice,
    )


def team_address(scene: Scene) -> str:
    return f"/o/acme/settings/teams/{scene.cast.crew.pk}/"


def role_address(scene: Scene) -> str:
    return f"/o/acme/settings/roles/{CustomRole.objects.get(organization=scene.organization, name='Mover').pk}/"


def rights_address(scene: Scene) -> str:
    """Bob's page of rights."""
    member = Membership.objects.get(organization=scene.organization, user=scene.cast.bob)
    return f"/o/acme/settings/members/{member.pk}/rights/"
