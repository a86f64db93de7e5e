"""Every address of the API with every method: without a key, with a stranger's, a reading one, and with those of
members in each role. A new endpoint needs a row in TABLE."""

from __future__ import annotations

import re

import pytest
from django.urls import get_resolver, reverse

from apps.api import urls
from apps.orgs.access import codes_on
from tests.api.conftest import make_program
from tests.api.world import World

# What any key may do.
OWN = ""
TABLE: list[tuple[str, str, str]] = [
    ("me", "GET", OWN),
    ("notices", "GET", OWN),
    ("notices_count", "GET", OWN),
    ("notices_read", "POST", OWN),
    ("notice_read", "POST", OWN),
    ("notice_unread", "POST", OWN),
    ("notification_preferences", "GET", OWN),
    ("notification_preferences", "PATCH", OWN),
    ("organizations", "GET", "org.view"),
    ("organization", "GET", "org.view"),
    ("organization", "PATCH", "org.update"),
    ("organization_transfer", "POST", "org.ownership.transfer"),
    ("organization_delete", "POST", "org.delete"),
    ("organization_keep", "POST", "org.delete"),
    ("members", "GET", "org.members.list"),
    ("member", "GET", "org.members.list"),
    ("member", "PATCH", "org.members.manage"),
    ("member", "DELETE", "org.members.manage"),
    ("roles", "GET", "org.roles.view"),
    ("custom_roles", "GET", "org.roles.view"),
    ("custom_roles", "POST", "org.roles.manage"),
    ("custom_role", "GET", "org.roles.view"),
    ("custom_role", "PATCH", "org.roles.manage"),
    ("custom_role", "DELETE", "org.roles.manage"),
    ("member_permissions", "GET", "org.roles.view"),
    ("member_custom_roles", "GET", "org.roles.view"),
    ("member_custom_roles", "POST", "org.roles.manage"),
    ("member_custom_role", "DELETE", "org.roles.manage"),
    ("member_overrides", "GET", "org.roles.view"),
    ("member_overrides", "POST", "org.roles.manage"),
    ("member_override", "DELETE", "org.roles.manage"),
    ("invitations", "GET", "org.members.manage"),
    ("invitations", "POST", "org.members.manage"),
    ("invitations_clean_up", "POST", "org.members.manage"),
    ("invitation", "GET", "org.members.manage"),
    ("invitation_resend", "POST", "org.members.manage"),
    ("invitation_revoke", "POST", "org.members.manage"),
    ("teams", "GET", "org.teams.list"),
    ("teams", "POST", "org.teams.manage"),
    ("team", "GET", "org.teams.list"),
    ("team", "PATCH", "org.teams.manage"),
    ("team", "DELETE", "org.teams.manage"),
    ("team_member", "PUT", "org.teams.manage"),
    ("team_member", "DELETE", "org.teams.manage"),
    ("team_project", "PUT", "project.members.manage"),
    ("team_project", "DELETE", "project.members.manage"),
    ("quotas", "GET", "org.quotas.view"),
    ("quota_requests", "GET", "org.quotas.view"),
    ("quota_requests", "POST", "org.quotas.view"),
    ("quota_request", "GET", "org.quotas.view"),
    ("webhooks", "GET", "org.webhooks.manage"),
    ("webhooks", "POST", "org.webhooks.manage"),
    ("webhook", "GET", "org.webhooks.manage"),
    ("webhook", "PATCH", "org.webhooks.manage"),
    ("webhook", "DELETE", "org.webhooks.manage"),
    *((f"webhook_{name}", "POST", "org.webhooks.manage") for name in ("pause", "resume", "secret", "test")),
    ("webhook_deliveries", "GET", "org.webhooks.manage"),
    ("webhook_delivery_resend", "POST", "org.webhooks.manage"),
    ("audit", "GET", "org.audit.view"),
    ("api_keys", "GET", "org.api_keys.manage"),
    ("api_keys", "POST", "org.api_keys.manage"),
    ("api_key", "GET", "org.api_keys.manage"),
    ("api_key", "DELETE", "org.api_keys.manage"),
    ("servers", "GET", "org.servers.list"),
    ("servers", "POST", "org.servers.create"),
    ("server", "GET", "org.servers.list"),
    ("server", "PATCH", "org.servers.update"),
    ("server_check", "POST", "org.servers.update"),
    ("server_host_key", "GET", "org.servers.update"),
    ("server_host_key", "PUT", "org.servers.update"),
    ("server_bootstrap", "POST", "org.servers.update"),
    ("server_remove", "POST", "org.servers.delete"),
    ("git_credentials", "GET", "org.git.list"),
    ("git_credentials", "POST", "org.git.manage"),
    ("git_credential", "GET", "org.git.list"),
    ("git_credential", "DELETE", "org.git.manage"),
    ("registry_accounts", "GET", "org.git.list"),
    ("registry_accounts", "POST", "org.git.manage"),
    ("registry_account", "GET", "org.git.list"),
    ("registry_account", "DELETE", "org.git.manage"),
    ("ssh_keys", "GET", "org.servers.list"),
    ("ssh_keys", "POST", "org.servers.create"),
    ("ssh_key", "GET", "org.servers.list"),
    ("ssh_key", "DELETE", "org.servers.delete"),
    ("projects", "GET", "org.projects.list"),
    ("projects", "POST", "org.projects.create"),
    ("project", "GET", "project.view"),
    ("project", "PATCH", "project.update"),
    ("project_delete", "POST", "project.delete"),
    ("project_members", "GET", "project.members.manage"),
    ("project_member", "PUT", "project.members.manage"),
    ("project_member", "DELETE", "project.members.manage"),
    ("project_teams", "GET", "project.members.manage"),
    ("repositories", "GET", "project.view"),
    ("repositories", "POST", "project.repos.manage"),
    ("repository", "GET", "project.view"),
    ("repository", "PATCH", "project.repos.manage"),
    ("repository", "DELETE", "project.repos.manage"),
    ("repository_branches", "GET", "project.view"),
    ("environments", "GET", "org.view"),
    ("environments", "POST", "project.environments.create"),
    ("environment", "GET", "project.environments.view"),
    ("environment", "PATCH", "project.environments.update"),
    ("environment_deploy", "POST", "project.environments.deploy"),
    *((f"environment_{name}", "POST", "project.environments.control") for name in ("start", "stop", "restart")),
    *((f"environment_{name}", "POST", "project.environments.control") for name in ("pause", "resume", "sync")),
    ("environment_logs", "GET", "project.environments.logs.view"),
    ("environment_log_stream", "GET", "project.environments.logs.view"),
    ("environment_destroy", "POST", "project.environments.delete"),
    ("environment_purge", "POST", "project.environments.delete"),
    ("deployments", "GET", "project.deployments.view"),
    ("deployment", "GET", "project.deployments.view"),
    ("deployment_retry", "POST", "project.environments.deploy"),
    ("variables", "GET", "project.environments.vars.view"),
    ("variable", "GET", "project.environments.vars.view"),
    ("variable", "PUT", "project.environments.vars.manage"),
    ("variable", "DELETE", "project.environments.vars.manage"),
    ("tasks", "GET", "org.view"),
    ("task", "GET", "project.deployments.view"),
    ("task_logs", "GET", "project.deployments.view"),
    ("task_cancel", "POST", "project.deployments.cancel"),
    ("task_retry", "POST", "project.deployments.cancel"),
    ("task_events", "GET", "project.deployments.view"),
    ("event_stream", "GET", "org.view"),
]
ROWS = pytest.mark.parametrize(("name", "method", "code"), TABLE)
# Looks outside, where the world has nothing: only who is kept out is seen.
REACHES_OUT = {"server_host_key", "repository_branches", "environment_logs", "environment_log_stream"}
# Purged are destroyed ones only: any other is not there.
NOT_THERE = {"environment_purge"}


@pytest.fixture(autouse=True)
def _many_requests(settings):
    """A whole file's requests come from six people, and fast."""
    settings.API_KEYS_WORTH_PER_PERSON = 1000


def address_of(name: str, world: World) -> str:
    """Below the prefix, with the ids of Acme's things."""
    wanted = get_resolver().namespace_dict["api"][1].reverse_dict.getlist(name)[0][0][0][1]
    ids = dict(world.ids)
    ids["key_id"] = ids["api_key_id" if name == "api_key" else "ssh_key_id"]
    path = reverse(f"api:{name}", kwargs={part: ids[part] for part in wanted})
    return path.removeprefix("/api/public/v1")


def body_of(name: str, method: str, world: World) -> object:
    """A body where the right is asked of something that the body names."""
    if (name, method) == ("environments", "POST"):
        return {"project_id": world.ids["project_id"], "env_type": "staging"}
    return None if method == "GET" else {}


def endpoints() -> set[tuple[str, str]]:
    views = {pattern.name: pattern.callback.cls for resource in urls.RESOURCES for pattern in resource.urlpatterns}
    methods = ("get", "post", "put", "patch", "delete")
    return {(name, method.upper()) for name, view in views.items() for method in methods if hasattr(view, method)}


def test_every_endpoint_has_its_row():
    known = {(name, method) for name, method, _ in TABLE}
    assert endpoints() - known == set(), "add a row to TABLE for these"
    assert known - endpoints() == set(), "these endpoints are gone"


@ROWS
@pytest.mark.django_db
def test_without_a_key(world, client, name, method, code):
    answer = client.generic(method, f"/api/public/v1{address_of(name, world)}")
    assert (answer.status_code, answer.json()["error"]) == (401, "missing_auth")


@pytest.mark.parametrize(("name", "method", "code"), [row for row in TABLE if row[1] != "GET"])
@pytest.mark.django_db
def test_a_reading_key_does_not_write(world, name, method, code):
    answer = make_program(world.organization, world.cast.alice, "ro")(method, address_of(name, world), {})
    assert (answer.status_code, answer.json()["error"]) == (403, "read_only_key")


@ROWS
@pytest.mark.django_db
def test_a_strangers_key_finds_nothing(world, name, method, code):
    path = address_of(name, world)
    stranger = make_program(world.cast.umbrella, world.cast.charlie)
    answer = stranger(method, path, body_of(name, method, world))
    if re.search(r"[0-9a-f]{8}-", path):
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    elif method == "GET" and not answer.streaming:
        assert world.ids["environment_id"] not in answer.content.decode()
        assert "Acme" not in answer.content.decode()


@pytest.mark.parametrize("person", ["anna", "bob", "vera"])
@pytest.mark.parametrize(("name", "method", "code"), [row for row in TABLE if row[2]])
@pytest.mark.django_db
def test_a_member_without_the_right_is_refused(world, name, method, code, person):
    from apps.accounts.models import User
    from apps.environments.models import Environment

    user = User.objects.get(pk=getattr(world.cast, person).pk)
    target = world.organization if code.startswith("org.") else Environment.objects.get(pk=world.ids["environment_id"])
    granted = code in codes_on(user, target)
    if granted and (method != "GET" or name in REACHES_OUT):
        # Doing it is the matter of each resource's own tests; here it is only seen who is kept out.
        return
    answer = make_program(world.organization, user)(method, address_of(name, world), body_of(name, method, world))
    if granted:
        assert answer.status_code == 200
    elif name in NOT_THERE:
        assert answer.status_code == 404
    else:
        assert (answer.status_code, answer.json()["error"]) == (403, "permission_denied")
