"""One of everything in Acme, for walks over all addresses."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.api.models import ApiKey
from apps.core import clock
from apps.environments.models import EnvironmentVariable
from apps.notifications.models import Delivery, Event, Notice, Webhook
from apps.operations.models import LogLine, Operation
from apps.orgs import custom_roles, overrides
from apps.orgs.invitations import invite
from apps.orgs.models import Membership, Organization
from apps.orgs.quota_requests import ask
from apps.orgs.roles import Role
from apps.orgs.services import add_member
from apps.orgs.teams import create_team
from apps.projects import services as projects
from apps.projects.models import GitCredential, RegistryAccount, Repository
from tests.api.conftest import make_program
from tests.cast import Cast, make_person
from tests.deployments.rows import make_deployment
from tests.factories import make_environment, make_project, make_server


@dataclass
class World:
    """The ids that addresses take, by the names of their parts."""

    organization: Organization
    ids: dict[str, str]


def make_world(cast: Cast, organization: Organization, owner: Any) -> World:
    """Makes it through services and rows; nothing outside is touched."""
    project = make_project(organization, "Shop")
    repository = projects.add_repository(
        project=project, kind=Repository.Kind.MODULE, url="https://git.example.com/a/b.git", branch="main", actor=owner
    )
    server = make_server(organization)
    environment = make_environment(project, server=server)
    deployment = make_deployment(environment, owner, status="failed", failed_step="validate")
    variable = EnvironmentVariable.objects.create(environment=environment, key="COLOUR", value="green")
    line = {"operation": deployment.operation, "sequence": 1, "text": "Hello", "created_at": deployment.created_at}
    LogLine.objects.create(**line)
    Operation.objects.filter(pk=deployment.operation_id).update(log_sequence=1)
    credential = GitCredential.objects.create(organization=organization, name="Token", kind="token", host="git.test")
    account = RegistryAccount.objects.create(
        organization=organization, name="Hub", kind="other", host="hub.test", username="u", password="p"
    )
    team = create_team(organization=organization, name="World", actor=owner)
    invitation = invite(organization=organization, role="developer", actor=owner)
    asked = ask(organization=organization, actor=owner, reason="More", cpu=Decimal(8))
    webhook = Webhook.objects.create(
        organization=organization, name="Chat", url="https://hooks.test/x", secret="whsec_x", events=["deploy.started"]
    )
    event = Event.objects.create(
        organization_id=organization.pk, kind="webhook.test", key=str(webhook.pk), happened_at=clock.now()
    )
    delivery = Delivery.objects.create(webhook=webhook, event=event, next_attempt_at=clock.now())
    notice = Notice.objects.create(user=owner, event=event)
    key: ApiKey = make_program(organization, owner).key
    member = Membership.objects.filter(organization=organization).exclude(user=owner).order_by("role").last()
    if member is None:
        add_member(organization=organization, user=make_person("Wanda"), role=Role.VIEWER, actor=owner)
        member = Membership.objects.exclude(user=owner).get(organization=organization)
    own_role, given, exception = make_rights(organization, member.user, owner)
    found = {
        "organization_id": organization.pk,
        "member_id": member.pk,
        "project_id": project.pk,
        "repository_id": repository.pk,
        "server_id": server.pk,
        "environment_id": environment.pk,
        "deployment_id": deployment.pk,
        "task_id": deployment.operation_id,
        "credential_id": credential.pk,
        "account_id": account.pk,
        "ssh_key_id": server.ssh_key_id,
        "team_id": team.pk,
        "invitation_id": invitation.pk,
        "role_id": own_role.pk,
        "assignment_id": given.pk,
        "override_id": exception.pk,
        "request_id": asked.pk,
        "webhook_id": webhook.pk,
        "delivery_id": delivery.pk,
        "notice_id": notice.pk,
        "api_key_id": key.pk,
        "key": variable.key,
    }
    return World(organization, {name: str(value) for name, value in found.items()})


def make_rights(organization: Organization, person: Any, owner: Any) -> tuple[Any, Any, Any]:
    """A role of the organization's own that the person has, and an exception for them."""
    code = "org.monitoring.view"
    role = custom_roles.create_role(organization=organization, name="World", codes=[code], actor=owner)
    given = custom_roles.give_role(role=role, user=person, actor=owner)
    exception = overrides.set_override(
        organization=organization, user=person, code=code, effect="grant", actor=owner, reason="World"
    )
    return role, given, exception
