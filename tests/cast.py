"""The cast that the tests and the demo's pages share.

Alice owns Acme, Anna administers it, Bob develops (his team looks at every project that the factories make in Acme) and
Vera looks on; Charlie owns Umbrella and is a stranger in Acme; Sam is platform staff, and both organizations are open
to him.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from apps.accounts.models import User
from apps.core import clock
from apps.orgs import services, teams
from apps.orgs.models import Organization, SupportAccess, Team
from apps.orgs.roles import Role

PASSWORD = "Correct-horse-9"
# The team in Acme that gets a role on the projects that the factories make.
CREW = "Crew"


@dataclass
class Cast:
    """Everybody, and the two organizations."""

    alice: User
    anna: User
    bob: User
    vera: User
    charlie: User
    sam: User
    acme: Organization
    umbrella: Organization
    crew: Team


def make_person(name: str, **fields: object) -> User:
    """A person called `name`, whose password is PASSWORD."""
    return User.objects.create_user(f"{name.lower()}@example.com", PASSWORD, display_name=name, **fields)


def make_cast() -> Cast:
    """Makes the people and the organizations through the services."""
    people = {name: make_person(name.title()) for name in ("alice", "anna", "bob", "vera", "charlie")}
    sam = make_person("Sam", is_staff=True, is_superuser=True)
    acme = services.create_organization(name="Acme", owner=people["alice"])
    umbrella = services.create_organization(name="Umbrella", owner=people["charlie"])
    for name, role in (("anna", Role.ADMIN), ("bob", Role.DEVELOPER), ("vera", Role.VIEWER)):
        services.add_member(organization=acme, user=people[name], role=role, actor=people["alice"])
    crew = teams.create_team(organization=acme, name=CREW, actor=people["alice"])
    teams.add_to_team(team=crew, user=people["bob"], actor=people["alice"])
    for organization, owner in ((acme, people["alice"]), (umbrella, people["charlie"])):
        open_to_staff(organization, sam, owner)
    return Cast(**people, sam=sam, acme=acme, umbrella=umbrella, crew=crew)


def open_to_staff(organization: Organization, staff: User, owner: User) -> SupportAccess:
    """The Owner has let a member of staff in for an hour."""
    return SupportAccess.objects.create(
        organization=organization,
        staff=staff,
        reason="Asked for help",
        minutes=60,
        granted_by=owner,
        granted_at=clock.now(),
        expires_at=clock.now() + timedelta(hours=1),
    )
