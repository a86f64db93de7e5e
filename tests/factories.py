"""Rows for tests, with minimal arguments. Where a service makes a thing without reaching outside, it is asked."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from apps.accounts.models import User
from apps.environments.models import Environment
from apps.environments.services import create_environment
from apps.orgs.models import Membership, Organization, Team
from apps.orgs.project_roles import set_team_role
from apps.orgs.roles import ProjectRole, Role
from apps.projects.models import Project
from apps.projects.services import create_project
from apps.servers.models import Server, SSHKey
from tests.cast import CREW

_numbers = itertools.count(1)


def owner_of(organization: Organization) -> User:
    """The organization's Owner."""
    return Membership.objects.select_related("user").get(organization=organization, role=Role.OWNER).user


def make_server(
    organization: Organization,
    *,
    cpu_count: int = 16,
    memory_megabytes: int = 32 * 1024,
    disk_total_megabytes: int = 500 * 1024,
    **fields: Any,
) -> Server:
    """A server that is ready, as far as its row says: nothing listens at its address."""
    number = next(_numbers)
    key = SSHKey.objects.create(
        organization=organization,
        name=f"key {number}",
        public_key="ssh-ed25519 AAAA",
        private_key="none",
        fingerprint="none",
    )
    facts = {
        "cpu_count": cpu_count,
        "memory_megabytes": memory_megabytes,
        "disk_total_megabytes": disk_total_megabytes,
        "disk_free_megabytes": disk_total_megabytes,
    }
    defaults = {
        "name": f"Server {number}",
        "slug": f"server-{number}",
        "address": f"10.99.{number // 250}.{number % 250 + 1}",
        "status": Server.Status.READY,
        "cpu_overcommit": Decimal(1),
    }
    return Server.objects.create(organization=organization, ssh_key=key, facts=facts, **(defaults | fields))


def make_project(organization: Organization, name: str = "Shop", **fields: Any) -> Project:
    """A project on Odoo 19.0, without a repository unless its address is given. The cast's team looks at it."""
    project = create_project(
        organization=organization,
        name=name,
        actor=owner_of(organization),
        odoo_version=fields.pop("odoo_version", "19.0"),
        **fields,
    )
    put_crew_on(project)
    return project


def put_crew_on(project: Project) -> None:
    """The cast's team, where the project's organization has it, looks at the project."""
    for team in Team.objects.filter(organization=project.organization, name=CREW):
        set_team_role(team=team, project=project, role=ProjectRole.VIEWER, actor=owner_of(project.organization))


def make_environment(project: Project, environment_type: str = "development", **fields: Any) -> Environment:
    """An environment in `status` (pending unless given); without a server unless one is given."""
    status = fields.pop("status", None)
    environment = create_environment(
        project=project,
        environment_type=environment_type,
        actor=owner_of(project.organization),
        **fields,
    )
    if status is not None:
        Environment.objects.filter(pk=environment.pk).update(status=status)
        environment.refresh_from_db()
    return environment
