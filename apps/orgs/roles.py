"""Roles and the 95 permission codes: the one table.

Columns: Portal admin, Organization owner, Organization admin, Organization member, Project admin, Project member.
A code is `tier.resource.action`. Three helper roles are derived below.
"""

from __future__ import annotations

from django.db import models

TABLE = """
portal.admin                          P . . . . .
portal.support                        P . . . . .
portal.users.view                     P . . . . .
portal.users.manage                   P . . . . .
portal.organizations.view             P . . . . .
portal.organizations.manage           P . . . . .
portal.servers.view                   P . . . . .
portal.servers.manage                 P . . . . .
portal.settings.view                  P . . . . .
portal.settings.manage                P . . . . .
portal.permissions.manage             P . . . . .
portal.odoo_versions.manage           P . . . . .
portal.git_connections.manage         P . . . . .
portal.addon_repos.manage             P . . . . .
portal.plans.manage                   P . . . . .
portal.audit.view                     P . . . . .
org.view                              P O A M . .
org.update                            P O A . . .
org.delete                            P O . . . .
org.ownership.transfer                P O . . . .
org.members.list                      P O A M . .
org.members.manage                    P O A . . .
org.teams.list                        P O A M . .
org.teams.manage                      P O A . . .
org.roles.view                        P O A M . .
org.roles.manage                      P O A . . .
org.projects.list                     P O A M . .
org.projects.create                   P O A . . .
org.projects.delete                   P O A . . .
org.servers.list                      P O A M . .
org.servers.create                    P O A . . .
org.servers.update                    P O A . . .
org.servers.delete                    P O A . . .
org.servers.shell                     P O A . . .
org.cloud_accounts.manage             P O A . . .
org.storage.list                      P O A M . .
org.storage.create                    P O A . . .
org.storage.update                    P O A . . .
org.storage.delete                    P O A . . .
org.backups.list                      P O A M . .
org.backups.restore                   P O A . . .
org.backup_policies.manage            P O A . . .
org.dns.list                          P O A M . .
org.dns.create                        P O A . . .
org.dns.update                        P O A . . .
org.dns.delete                        P O A . . .
org.domains.manage                    P O A . . .
org.git.list                          P O A M . .
org.git.manage                        P O A . . .
org.addons.list                       P O A M . .
org.addons.manage                     P O A . . .
org.billing.view                      P O A . . .
org.billing.manage                    P O . . . .
org.quotas.view                       P O A M . .
org.quotas.manage                     P O . . . .
org.api_keys.manage                   P O A . . .
org.webhooks.manage                   P O A . . .
org.audit.view                        P O A . . .
org.monitoring.view                   P O A M . .
org.monitoring.manage                 P O A . . .
org.migrations.manage                 P O A . . .
project.view                          P O A M p m
project.update                        P O A . p .
project.delete                        P O A . p .
project.members.manage                P O A . p .
project.repos.manage                  P O A . p .
project.environments.view             P O A M p m
project.environments.create           P O A . p .
project.environments.update           P O A . p .
project.environments.deploy           P O A M p .
project.environments.control          P O A M p .
project.environments.clone            P O A . p .
project.environments.delete           P O A . p .
project.environments.promote          P O A . p .
project.environments.vars.view        P O A M p .
project.environments.vars.manage      P O A . p .
project.environments.domains.manage   P O A . p .
project.environments.logs.view        P O A M p m
project.environments.shell            P O A . p .
project.environments.database.manage  P O A . p .
project.environments.replicas.view    P O A M p m
project.environments.replicas.manage  P O A . p .
project.deployments.view              P O A M p m
project.deployments.cancel            P O A M p .
project.deployments.rollback          P O A . p .
project.backups.list                  P O A M p m
project.backups.create                P O A M p .
project.backups.restore               P O A . p .
project.backups.download              P O A . p .
project.backups.delete                P O A . p .
project.backup_policies.manage        P O A . p .
project.monitoring.view               P O A M p m
project.automation.view               P O A M p m
project.automation.manage             P O A . p .
project.automation.approve            P O A . p .
"""

SYSTEM_ROLES = ("portal_admin", "org_owner", "org_admin", "org_member", "project_admin", "project_member")
# The codes in the table's order: the platform's tier, the organization's, the project's.
ORDERED_CODES = tuple(line.split()[0] for line in TABLE.strip().splitlines())


def _read_table() -> dict[str, frozenset[str]]:
    codes: dict[str, set[str]] = {column: set() for column in SYSTEM_ROLES}
    for line in TABLE.strip().splitlines():
        code, *grants = line.split()
        for column, grant in zip(SYSTEM_ROLES, grants, strict=True):
            if grant != ".":
                codes[column].add(code)
    return {column: frozenset(granted) for column, granted in codes.items()}


CODES_BY_ROLE = _read_table()
ALL_CODES = CODES_BY_ROLE["portal_admin"]
CODES_BY_ROLE["org_viewer"] = frozenset(
    code for code in CODES_BY_ROLE["org_member"] if code.endswith((".view", ".list"))
)
CODES_BY_ROLE["project_developer"] = CODES_BY_ROLE["project_member"] | {
    "project.environments.create",
    "project.environments.update",
    "project.environments.deploy",
    "project.environments.control",
    "project.environments.clone",
    "project.environments.vars.view",
    "project.environments.vars.manage",
    "project.deployments.cancel",
    "project.backups.create",
}
CODES_BY_ROLE["portal_support"] = frozenset(
    code for code in ALL_CODES if code == "portal.support" or code.endswith((".view", ".list"))
)


class Role(models.TextChoices):
    """The role of a member in an organization, the highest first."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    DEVELOPER = "developer", "Developer"
    VIEWER = "viewer", "Viewer"


CODES_BY_MEMBERSHIP = {
    Role.OWNER: CODES_BY_ROLE["org_owner"],
    Role.ADMIN: CODES_BY_ROLE["org_admin"],
    Role.DEVELOPER: CODES_BY_ROLE["org_member"],
    Role.VIEWER: CODES_BY_ROLE["org_viewer"],
}


class ProjectRole(models.TextChoices):
    """The role of a person or a team on one project, the highest first."""

    ADMIN = "admin", "Admin"
    DEVELOPER = "developer", "Developer"
    VIEWER = "viewer", "Viewer"


CODES_BY_PROJECT_ROLE = {
    ProjectRole.ADMIN: CODES_BY_ROLE["project_admin"],
    ProjectRole.DEVELOPER: CODES_BY_ROLE["project_developer"],
    ProjectRole.VIEWER: CODES_BY_ROLE["project_member"],
}
ROLE_TITLES = {
    "portal_admin": "Portal Admin",
    "portal_support": "Portal Support",
    "org_owner": "Owner",
    "org_admin": "Admin",
    "org_member": "Developer",
    "org_viewer": "Viewer",
    "project_admin": "Admin on a project",
    "project_developer": "Developer on a project",
    "project_member": "Viewer on a project",
}
# Who sees every project of the organization without being on any.
SEES_ALL_PROJECTS = (Role.OWNER, Role.ADMIN, Role.VIEWER)
