"""Every page, as somebody sees it: a name, who looks, and the address in the scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.accounts.models import User
from tests.browser.scene import Scene
from tests.browser.scene_people import link_of
from tests.browser.scene_rights import rights_address, role_address, team_address

NORTHWIND = "/o/acme/p/northwind-erp/"
WEBHOOKS = "/o/acme/settings/webhooks/"


@dataclass(frozen=True)
class PageCase:
    """`address` is made from the scene; `status` is what is answered."""

    name: str
    address: Callable[[Scene], str]
    person: Callable[[Scene], User | None] = lambda scene: scene.cast.alice
    status: int = 200


def nobody(scene: Scene) -> None:
    return None


def newcomer(scene: Scene) -> User:
    return scene.newcomer


def charlie(scene: Scene) -> User:
    return scene.cast.charlie


def operation_address(scene: Scene, status: str) -> str:
    """The page of an operation (its own one, not that of its deployment)."""
    return f"/operations/{scene.operations[status].pk}/"


PAGES = (
    PageCase("sign-in", lambda scene: "/account/login/", nobody),
    PageCase("sign-up", lambda scene: "/account/signup/", nobody),
    PageCase("password-reset", lambda scene: "/account/password/reset/", nobody),
    PageCase("password-reset-sent", lambda scene: "/account/password/reset/done/", nobody),
    PageCase("email-confirm-sent", lambda scene: "/account/confirm-email/", nobody),
    PageCase("sign-out", lambda scene: "/account/logout/"),
    PageCase("account", lambda scene: "/account/"),
    PageCase("account-email", lambda scene: "/account/email/"),
    PageCase("account-verify", lambda scene: "/account/verify/", nobody),
    PageCase("account-security", lambda scene: "/account/security/"),
    PageCase("account-sessions", lambda scene: "/account/sessions/"),
    PageCase("account-data", lambda scene: "/account/data/"),
    PageCase("account-data-member", lambda scene: "/account/data/", lambda scene: scene.cast.bob),
    PageCase("account-connections", lambda scene: "/account/3rdparty/"),
    PageCase("account-closed", lambda scene: "/account/inactive/", nobody),
    PageCase("account-not-signed-in", lambda scene: "/account/3rdparty/login/cancelled/", nobody),
    PageCase("account-company-failed", lambda scene: "/account/3rdparty/login/error/", nobody, 401),
    PageCase("account-password", lambda scene: "/account/password/change/"),
    PageCase("organization-create", lambda scene: "/o/new/", newcomer),
    PageCase("home", lambda scene: "/o/acme/"),
    PageCase("home-empty", lambda scene: "/o/umbrella/", charlie),
    PageCase("settings", lambda scene: "/o/acme/settings/"),
    PageCase("settings-viewer", lambda scene: "/o/acme/settings/", lambda scene: scene.cast.vera),
    PageCase("settings-white-label", lambda scene: "/o/umbrella/settings/", charlie),
    PageCase("members", lambda scene: "/o/acme/settings/members/"),
    PageCase("members-viewer", lambda scene: "/o/acme/settings/members/", lambda scene: scene.cast.vera),
    PageCase("member-leave", lambda scene: "/o/acme/settings/members/leave/", lambda scene: scene.cast.bob),
    PageCase("teams", lambda scene: "/o/acme/settings/teams/"),
    PageCase("teams-viewer", lambda scene: "/o/acme/settings/teams/", lambda scene: scene.cast.vera),
    PageCase("team", team_address),
    PageCase("roles", lambda scene: "/o/acme/settings/roles/"),
    PageCase("role-create", lambda scene: "/o/acme/settings/roles/new/"),
    PageCase("role", role_address),
    PageCase("person-rights", rights_address),
    PageCase("person-rights-project", lambda scene: f"{rights_address(scene)}?project=contoso"),
    PageCase("project-members", lambda scene: f"{NORTHWIND}members/"),
    PageCase("invitations", lambda scene: "/o/acme/settings/invitations/"),
    PageCase("ownership", lambda scene: "/o/acme/settings/ownership/"),
    PageCase("organization-delete", lambda scene: "/o/acme/settings/delete/"),
    PageCase("quotas", lambda scene: "/o/acme/settings/quotas/"),
    PageCase("quotas-empty", lambda scene: "/o/umbrella/settings/quotas/", charlie),
    PageCase("quota-ask", lambda scene: "/o/acme/settings/quotas/ask/"),
    PageCase("join-code", lambda scene: "/join/", newcomer),
    PageCase("join", lambda scene: link_of(scene.organization), newcomer),
    PageCase("join-nobody", lambda scene: link_of(scene.organization), nobody),
    PageCase("join-unknown", lambda scene: "/join/none/", newcomer, status=404),
    PageCase("audit", lambda scene: "/o/acme/settings/audit/"),
    PageCase("api-keys", lambda scene: "/o/acme/settings/keys/"),
    PageCase("support-access", lambda scene: "/o/acme/settings/support/"),
    PageCase("search", lambda scene: "/o/acme/search/?q=contoso"),
    PageCase("activity", lambda scene: "/o/acme/activity/"),
    PageCase("activity-empty", lambda scene: "/o/umbrella/activity/", charlie),
    PageCase("operation-running", lambda scene: operation_address(scene, "running")),
    PageCase("operation-failed", lambda scene: operation_address(scene, "failed")),
    PageCase("operation-completed", lambda scene: operation_address(scene, "completed")),
    PageCase("projects", lambda scene: "/o/acme/projects/"),
    PageCase("projects-empty", lambda scene: "/o/umbrella/projects/", charlie),
    PageCase("project-create", lambda scene: "/o/acme/projects/new/"),
    PageCase("project-stages", lambda scene: NORTHWIND),
    PageCase("project-settings", lambda scene: f"{NORTHWIND}settings/"),
    PageCase("git-credentials", lambda scene: "/o/acme/settings/git/"),
    PageCase("webhooks", lambda scene: WEBHOOKS),
    PageCase("webhooks-empty", lambda scene: "/o/umbrella/settings/webhooks/", charlie),
    PageCase("webhook-add", lambda scene: f"{WEBHOOKS}new/"),
    PageCase("webhook", lambda scene: f"{WEBHOOKS}{scene.webhook.pk}/"),
    PageCase("webhook-edit", lambda scene: f"{WEBHOOKS}{scene.webhook.pk}/edit/"),
    PageCase("webhook-delivery", lambda scene: f"{WEBHOOKS}{scene.webhook.pk}/deliveries/{scene.delivery.pk}/"),
    PageCase("notification-preferences", lambda scene: "/account/notifications/"),
    PageCase("inbox", lambda scene: "/inbox/"),
    PageCase("inbox-empty", lambda scene: "/inbox/", charlie),
    PageCase("registry-accounts", lambda scene: "/o/acme/settings/registries/"),
    PageCase("environment-create", lambda scene: f"{NORTHWIND}new/"),
    PageCase("environment-running", lambda scene: f"{NORTHWIND}production/"),
    PageCase("environment-deploying", lambda scene: f"{NORTHWIND}staging/"),
    PageCase("environment-changed", lambda scene: f"{NORTHWIND}development/"),
    PageCase("environment-pending", lambda scene: f"{NORTHWIND}feature-invoicing/"),
    PageCase("environment-error", lambda scene: "/o/acme/p/contoso/contoso-staging/"),
    PageCase("environment-viewer", lambda scene: f"{NORTHWIND}production/", lambda scene: scene.cast.vera),
    PageCase("environment-variables", lambda scene: f"{NORTHWIND}production/variables/"),
    PageCase("environment-repositories", lambda scene: f"{NORTHWIND}production/repositories/"),
    PageCase("environment-settings", lambda scene: f"{NORTHWIND}production/settings/"),
    PageCase("environment-domains", lambda scene: f"{NORTHWIND}production/domains/"),
    PageCase("environment-logs-empty", lambda scene: f"{NORTHWIND}feature-invoicing/logs/"),
    PageCase("deployments", lambda scene: f"{NORTHWIND}production/deployments/"),
    PageCase("deployment-completed", lambda scene: f"{NORTHWIND}production/deployments/12/"),
    PageCase("deployment-running", lambda scene: f"{NORTHWIND}staging/deployments/3/"),
    PageCase("deployment-failed", lambda scene: f"{NORTHWIND}development/deployments/8/"),
    PageCase("servers", lambda scene: "/o/acme/servers/"),
    PageCase("servers-empty", lambda scene: "/o/umbrella/servers/", charlie),
    PageCase("server-add", lambda scene: "/o/acme/servers/new/"),
    PageCase("server-ready", lambda scene: "/o/acme/servers/web-1/"),
    PageCase("server-unreachable", lambda scene: "/o/acme/servers/old-box/"),
    PageCase("server-pending", lambda scene: "/o/acme/servers/fresh/"),
    PageCase("server-settings", lambda scene: "/o/acme/servers/web-1/settings/"),
    PageCase("server-capacity", lambda scene: "/o/acme/servers/web-2/capacity/"),
    PageCase("not-found", lambda scene: "/o/acme/nothing/", status=404),
)
