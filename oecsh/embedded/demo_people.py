"""The demo's people, each with another role, and a program's API key. Made by the services that the portal calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oecsh.embedded.demo import RESULT
from oecsh.embedded.progress import say

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.orgs.models import Organization, Team
    from apps.projects.models import Project

OWNER = "owner"
TEAM = "Shop crew"
# Besides the Owner: e-mail, name, role in the organization, and what they show in one sentence.
MEMBERS = (
    ("anna@example.com", "Anna", "admin", "all but ownership and billing"),
    ("bob@example.com", "Bob", "developer", f"his projects: the team {TEAM} develops Shop"),
    ("vera@example.com", "Vera", "viewer", "everything to look at, nothing to change"),
)


def ensure_people(organization: Organization, project: Project, owner: User, password: str) -> list[dict[str, str]]:
    """Four people with four roles, one of them in a team on the project. They sign in with the demo's password."""
    people = [{"email": owner.email, "role": OWNER, "password": password, "note": "everything"}]
    for email, name, role, note in MEMBERS:
        user = _ensure_member(organization, owner, email, name, role, password)
        if role == "developer":
            _ensure_in_team(organization, project, owner, user)
        people.append({"email": email, "role": role, "password": password, "note": note})
    return people


def _ensure_member(organization: Organization, owner: User, email: str, name: str, role: str, password: str) -> User:
    from apps.accounts.models import User
    from apps.orgs.models import Membership
    from apps.orgs.services import add_member

    user = User.objects.filter(email=email).first() or User.objects.create_user(email, password, display_name=name)
    if not user.check_password(password):
        user.set_password(password)
        user.save()
    if not Membership.objects.filter(organization=organization, user=user).exists():
        say(f"Person: {email}, {role} of {organization}")
        add_member(organization=organization, user=user, role=role, actor=owner)
    return user


def _ensure_in_team(organization: Organization, project: Project, owner: User, user: User) -> Team:
    from apps.orgs.models import Team
    from apps.orgs.project_roles import set_team_role
    from apps.orgs.teams import add_to_team, create_team

    team = Team.objects.filter(organization=organization, name=TEAM).select_related("group").first()
    if team is None:
        team = create_team(organization=organization, name=TEAM, actor=owner, description="Develops the shop")
        set_team_role(team=team, project=project, role="developer", actor=owner)
    add_to_team(team=team, user=user, actor=owner)
    return team


def ensure_api_key(organization: Organization, owner: User) -> str:
    """A key that may write: the one of the run before while it opens the API, otherwise a new one."""
    from apps.api import keys
    from apps.api.models import ApiKey

    known = json.loads(RESULT.read_text()).get("api_key", "") if RESULT.exists() else ""
    try:
        if keys.open_key(known).organization_id == organization.pk:
            return known
    except keys.KeyRefused:
        say("API key: a new one, which may write")
    _, text = keys.create_key(organization=organization, name="Demo", kind=ApiKey.Kind.READ_WRITE, actor=owner)
    return text


def show_people(people: list[dict[str, str]]) -> None:
    """Who may sign in, and as what."""
    for person in people:
        print(f"           {person['email']:<20} {person['password']}  {person['role']}: {person['note']}")
