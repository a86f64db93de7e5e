"""The cast that the tests and the demo's pages share.

Alice owns Acme, Anna administers it, Bob develops (his team looks at every project that the factories make in Acme) and
Vera looks on; Charlie owns Umbrella and is a stranger in Acme; Sam is platform staff, and both organizations are open
to him.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from apps.accounts.models import User
from apps.core import clock
from apps.orgs import services, teams
from apps.orgs.models import Organization, SupportAccess, Team
from apps.orgs.rights_changes import changing
from apps.orgs.roles import Role
from tests.database.beginning import changed_tables
from tests.database.pattern import Pattern

PASSWORD = "Correct-horse-9"
# The team in Acme that gets a role on the projects that the factories make.
CREW = "Crew"
ADDRESSES = [f"{name}@example.com" for name in ("alice", "anna", "bob", "vera", "charlie", "sam")]
_pattern: Pattern | None = None


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


def rehearse_cast() -> None:
    """From now on `make_cast` repeats what the services do here. The tables hold nothing but what migrations wrote."""
    global _pattern
    with transaction.atomic():
        _make_by_services()
        _pattern = Pattern(changed_tables())
        transaction.set_rollback(True)


def make_cast() -> Cast:
    """Makes the people and the organizations: by the services, or as they did it in the rehearsal."""
    if _pattern is None:
        return _make_by_services()
    with transaction.atomic():
        _pattern.repeat()
        cast = _found()
        for organization in (cast.acme, cast.umbrella):
            changing(organization.memberships.values_list("user_id", flat=True), organization.pk)
    return cast


def _found() -> Cast:
    """Everybody as they are in the tables."""
    people = {person.email.partition("@")[0]: person for person in User.objects.filter(email__in=ADDRESSES)}
    acme, umbrella = (Organization.objects.get(slug=slug) for slug in ("acme", "umbrella"))
    crew = Team.objects.select_related("group", "organization").get(organization=acme, name=CREW)
    return Cast(**people, acme=acme, umbrella=umbrella, crew=crew)


def _make_by_services() -> Cast:
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
