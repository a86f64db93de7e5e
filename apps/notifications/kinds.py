"""The kinds of events that exist. Everything else asks here: forms, preferences, the API, the dispatcher."""

from __future__ import annotations

from dataclasses import dataclass

DEPLOYMENTS = "Deployments"
ENVIRONMENTS = "Environments"
AUTOMATION = "Automation"
BACKUPS = "Backups and restores"
ORGANIZATION = "Organization"


@dataclass(frozen=True)
class Kind:
    """One kind. `permission` is what a person needs on the project (or the organization) to be told; `level` is
    `info`, `success`, `warning` or `error`; `inbox` and `mail` say whether a person who chose nothing is told so.

    `tells_actor`: whoever set it off is told as well, because they wait for it. `for_webhooks`: may be subscribed to.
    """

    name: str
    title: str
    group: str
    permission: str
    level: str = "info"
    inbox: bool = False
    mail: bool = False
    tells_actor: bool = True
    for_webhooks: bool = True


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Adds kinds; a name stands for one kind only (ValueError)."""
    for kind in kinds:
        if _kinds.setdefault(kind.name, kind) != kind:
            raise ValueError(f"The kind of event {kind.name} is registered twice.")


def get_kind(name: str) -> Kind:
    """The kind of that name; KeyError when there is none."""
    return _kinds[name]


def all_kinds() -> list[Kind]:
    """Every kind, in the order of the pages."""
    return list(_kinds.values())


def webhook_kinds() -> list[Kind]:
    """Those that a webhook may subscribe to."""
    return [kind for kind in _kinds.values() if kind.for_webhooks]


def grouped(kinds: list[Kind]) -> list[tuple[str, list[Kind]]]:
    """The kinds by their groups, both in the order of the pages."""
    groups: dict[str, list[Kind]] = {}
    for kind in kinds:
        groups.setdefault(kind.group, []).append(kind)
    return list(groups.items())


_DEPLOYMENT, _ENVIRONMENT = "project.deployments.view", "project.environments.view"
_AUTOMATION, _BACKUP = "project.automation.view", "project.backups.list"

register(
    Kind("deploy.started", "A deployment began", DEPLOYMENTS, _DEPLOYMENT, tells_actor=False),
    Kind("deploy.completed", "A deployment went well", DEPLOYMENTS, _DEPLOYMENT, "success", inbox=True),
    Kind("deploy.failed", "A deployment failed", DEPLOYMENTS, _DEPLOYMENT, "error", inbox=True, mail=True),
    Kind("deploy.cancelled", "A deployment was cancelled", DEPLOYMENTS, _DEPLOYMENT, "warning", inbox=True),
    Kind("environment.created", "An environment was made", ENVIRONMENTS, _ENVIRONMENT, inbox=True, tells_actor=False),
    Kind("environment.deleted", "An environment was destroyed", ENVIRONMENTS, _ENVIRONMENT, "warning", inbox=True),
    Kind("environment.status_changed", "An environment changed its state", ENVIRONMENTS, _ENVIRONMENT),
    Kind("certificate.issued", "A certificate was issued", ENVIRONMENTS, _ENVIRONMENT, "success"),
    Kind(
        "certificate.failed",
        "A certificate could not be issued",
        ENVIRONMENTS,
        _ENVIRONMENT,
        "error",
        inbox=True,
        mail=True,
    ),
    Kind("automation_rule.triggered", "A rule was set off", AUTOMATION, _AUTOMATION),
    Kind("automation_rule.completed", "A rule did its work", AUTOMATION, _AUTOMATION, "success"),
    Kind("automation_rule.failed", "A rule failed", AUTOMATION, _AUTOMATION, "error", inbox=True, mail=True),
    Kind(
        "approval.requested",
        "An approval is asked for",
        AUTOMATION,
        "project.automation.approve",
        inbox=True,
        mail=True,
    ),
    Kind("approval.granted", "An approval was given", AUTOMATION, _AUTOMATION, "success", inbox=True),
    Kind("approval.rejected", "An approval was refused", AUTOMATION, _AUTOMATION, "warning", inbox=True),
    Kind("backup.completed", "A backup was made", BACKUPS, _BACKUP, "success"),
    Kind("backup.failed", "A backup failed", BACKUPS, _BACKUP, "error", inbox=True, mail=True),
    Kind("restore.completed", "A restore went well", BACKUPS, _BACKUP, "success", inbox=True),
    Kind("restore.failed", "A restore failed", BACKUPS, _BACKUP, "error", inbox=True, mail=True),
    Kind("drill.completed", "A restore drill went well", BACKUPS, _BACKUP, "success"),
    Kind("drill.failed", "A restore drill failed", BACKUPS, _BACKUP, "error", inbox=True, mail=True),
    Kind(
        "quota.warning",
        "80 % of a quota is used",
        ORGANIZATION,
        "org.quotas.view",
        "warning",
        inbox=True,
    ),
    Kind("quota.exceeded", "A quota stopped something", ORGANIZATION, "org.quotas.view", "error", inbox=True),
    Kind(
        "webhook.paused",
        "A webhook was paused because its receiver fails",
        ORGANIZATION,
        "org.webhooks.manage",
        "error",
        inbox=True,
        mail=True,
        for_webhooks=False,
    ),
    Kind("webhook.test", "Test", ORGANIZATION, "org.webhooks.manage", for_webhooks=False),
)
