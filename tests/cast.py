"""The cast that the tests and the demo's pages share.

Alice owns Acme, Anna administers it, Bob develops and Vera looks on; Charlie owns Umbrella and is a stranger in Acme;
Sam is platform staff.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.accounts.models import User
from apps.orgs import services
from apps.orgs.models import Organization
from apps.orgs.roles import Role

PASSWORD = "Correct-horse-9"


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
    return Cast(**people, sam=sam, acme=acme, umbrella=umbrella)
