"""What the organization's other things do through the API, and what they refuse."""

from __future__ import annotations

import pytest

from apps.api.models import ApiKey
from apps.orgs.models import Membership, Quota
from apps.projects.models import Repository
from apps.servers.models import Server
from tests.factories import make_project, make_server

HOOK = {"name": "Chat", "url": "https://127.0.0.1/hook", "events": ["deploy.failed"]}


def test_a_project_with_its_repository(cast, alice):
    wanted = {"name": "Shop", "odoo_version": "19.0", "default_branch": "develop"}
    project = alice.post("/projects", wanted | {"repository_url": "https://git.example.com/a/shop.git"}).json()
    assert (project["slug"], project["default_branch"]) == ("shop", "develop")
    listed = alice.get(f"/projects/{project['id']}/repositories").json()["results"]
    assert [(row["kind"], row["default_branch"]) for row in listed] == [("primary", "develop")]
    path = f"/repositories/{listed[0]['id']}"
    changed = alice.patch(path, {"branch_map": {"staging": "next"}}).json()
    assert changed["branch_map"] == {"staging": "next"}
    assert alice.patch(path, {"branch_map": {"staging": "a..b"}}).status_code == 422
    assert alice.patch(path, {"branch_map": {"holiday": "x"}}).status_code == 422
    assert alice.patch(path, {"url": "file:///etc/passwd"}).status_code == 422
    assert alice.delete(path).status_code == 204
    assert Repository.objects.count() == 0
    wrong = alice.post(f"/projects/{project['id']}/delete", {"confirmation": "x"})
    assert wrong.json()["error"] == "projects.confirmation_differs"
    assert alice.post(f"/projects/{project['id']}/delete", {"confirmation": "shop"}).status_code == 204
    assert alice.get(f"/projects/{project['id']}").status_code == 404


def test_a_server_is_added_with_a_key_of_its_own(cast, alice):
    server = alice.post("/servers", {"name": "Web 1", "address": "203.0.113.7", "http_port": 8080}).json()
    assert (server["status"], server["http_port"], server["user"]) == ("pending", 8080, "root")
    assert server["public_key"].startswith("ssh-ed25519 ")
    again = alice.post("/servers", {"name": "Web 2", "address": "203.0.113.7"})
    assert (again.status_code, again.json()["error"]) == (409, "servers.already_added")
    refused = alice.post(f"/servers/{server['id']}/bootstrap")
    assert refused.json()["error"] == "servers.host_key_unknown"
    assert alice("PUT", f"/servers/{server['id']}/host-key", {"host_key": "none"}).status_code == 422
    wrong = alice.post(f"/servers/{server['id']}/remove", {"confirmation": "x"})
    assert wrong.json()["error"] == "servers.name_mismatch"
    bad = alice.post("/servers", {"name": "x", "address": "a b", "private_key": "nothing"})
    assert bad.status_code == 422


def test_a_bootstrap_is_a_task(cast, alice):
    server = make_server(cast.acme, status=Server.Status.PENDING, host_key="ssh-ed25519 AAAA")
    answer = alice.post(f"/servers/{server.pk}/bootstrap")
    assert (answer.status_code, answer.json()["environment_id"]) == (202, None)
    task = alice.get(f"/tasks/{answer.json()['task_id']}").json()
    assert (task["kind"], task["subject_id"]) == ("servers.bootstrap", str(server.pk))


def test_secrets_go_in_and_never_out(cast, alice):
    token = {"kind": "token", "name": "Git", "host": "git.example.com", "token": "very-secret-token"}
    account = {"name": "Hub", "kind": "other", "host": "hub.example.com", "username": "u", "password": "very-secret"}
    made = [alice.post("/git-credentials", token), alice.post("/registry-accounts", account)]
    made.append(alice.post("/git-credentials", {"kind": "ssh_key", "name": "Deploy key"}))
    made.append(alice.post("/ssh-keys", {"name": "Made here"}))
    assert [answer.status_code for answer in made] == [201] * 4
    shown = [*made, *(alice.get(path) for path in ("/git-credentials", "/registry-accounts", "/ssh-keys"))]
    assert not any(word in answer.content for answer in shown for word in (b"very-secret", b"PRIVATE KEY"))
    assert alice.post("/git-credentials", {"kind": "token", "name": "x"}).status_code == 422
    assert alice.post("/ssh-keys", {"name": "x", "private_key": "nothing"}).json()["error"] == "servers.key_unreadable"
    assert alice.delete(f"/registry-accounts/{made[1].json()['id']}").status_code == 204


def test_members(cast, alice, program):
    vera = Membership.objects.get(organization=cast.acme, user=cast.vera)
    assert alice.patch(f"/members/{vera.pk}", {"role": "developer"}).json()["role"] == "developer"
    assert alice.patch(f"/members/{vera.pk}", {"role": "owner"}).json()["error"] == "orgs.owner_not_assignable"
    owner = Membership.objects.get(organization=cast.acme, user=cast.alice)
    annas = program(cast.acme, cast.anna)
    assert annas.patch(f"/members/{owner.pk}", {"role": "viewer"}).json()["error"] == "orgs.owner_stays"
    assert annas.delete(f"/members/{owner.pk}").json()["error"] == "orgs.owner_stays"
    assert alice.delete(f"/members/{vera.pk}").status_code == 204
    assert Membership.objects.filter(user=cast.vera).count() == 0


def test_teams(cast, alice):
    team = alice.post("/teams", {"name": "Night shift", "colour": "blue"}).json()
    path = f"/teams/{team['id']}"
    vera = Membership.objects.get(organization=cast.acme, user=cast.vera)
    project = make_project(cast.acme)
    assert alice("PUT", f"{path}/members/{vera.pk}").json()["members"][0]["email"] == "vera@example.com"
    body = alice("PUT", f"{path}/projects/{project.pk}", {"role": "developer"}).json()
    assert body["projects"] == [{"project_id": str(project.pk), "role": "developer"}]
    assert cast.vera.has_perm("project.environments.deploy", project)
    stranger = Membership.objects.get(organization=cast.umbrella, user=cast.charlie)
    assert alice("PUT", f"{path}/members/{stranger.pk}").status_code == 404
    assert alice("PUT", f"{path}/projects/{make_project(cast.umbrella).pk}", {"role": "admin"}).status_code == 404
    assert alice.post("/teams", {"name": "Night shift"}).json()["error"] == "orgs.team_name_taken"
    assert alice.patch(path, {"description": "At night"}).json()["colour"] == "blue"
    assert alice.delete(f"{path}/members/{vera.pk}").json()["members"] == []
    assert alice.delete(f"{path}/projects/{project.pk}").json()["projects"] == []
    assert alice.delete(path).status_code == 204


def test_quotas(cast, alice):
    Quota.objects.update_or_create(organization=cast.acme, defaults={"cpu": 4, "environments": 1})
    make_server(cast.acme)
    rows = {row["name"]: row for row in alice.get("/quotas").json()["resources"]}
    assert (rows["cpu"]["limit"], rows["cpu"]["allocated"], rows["servers"]["allocated"]) == (4, 0, 1)
    assert rows["memory_megabytes"]["limit"] is None
    wanted = {"project_id": str(make_project(cast.acme).pk), "env_type": "development"}
    assert alice.post("/environments", wanted).status_code == 201
    refused = alice.post("/environments", wanted)
    assert (refused.status_code, refused.json()["error"]) == (409, "orgs.quota_exceeded")
    assert alice.post("/quota-requests", {"environments": 5, "reason": "More shops"}).status_code == 201
    again = alice.post("/quota-requests", {"environments": 6, "reason": "More shops"})
    assert again.json()["error"] == "orgs.quota_request_waits"


def test_webhooks(cast, alice, settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    made = alice.post("/webhooks", HOOK).json()
    path = f"/webhooks/{made['id']}"
    assert made["secret"].startswith("whsec_")
    assert "secret" not in alice.get(path).json()
    assert "/hook" not in alice.get(path).content.decode()
    assert alice.post(f"{path}/secret").json()["secret"] != made["secret"]
    assert alice.post(f"{path}/pause").json()["is_active"] is False
    assert alice.post(f"{path}/test").json()["error"] == "notifications.webhook_paused"
    assert alice.post(f"{path}/resume").json()["is_active"] is True
    test = alice.post(f"{path}/test")
    assert (test.status_code, test.json()["event"]) == (202, "webhook.test")
    assert len(alice.get(f"{path}/deliveries").json()["results"]) == 1
    assert alice.patch(path, {"events": ["nothing.known"]}).status_code == 422
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    refused = alice.patch(path, {"url": "https://127.0.0.1/other"})
    assert (refused.status_code, refused.json()["error"]) == (422, "core.address_not_allowed")
    assert alice.patch(path, {"url": "http://example.com/"}).status_code == 422


def test_changes_of_webhooks_are_limited_besides(cast, alice, settings):
    settings.API_WEBHOOK_WRITES_PER_MINUTE = 1
    assert [alice.post("/webhooks", {}).status_code for _ in range(2)] == [422, 429]
    assert alice.get("/webhooks").status_code == 200
    assert alice.post("/projects", {}).status_code == 422


def test_the_audit_trail_is_filtered(cast, alice):
    make_project(cast.acme)
    make_project(cast.umbrella)
    alice.post("/projects", {"name": "By key", "odoo_version": "19.0"})
    rows = alice.get("/audit?action=project.created").json()["results"]
    assert [row["target_name"] for row in rows] == ["By key", "Shop"]
    assert rows[0]["key_id"] == str(alice.key.pk)
    assert alice.get("/audit?until=2020-01-01T00:00:00Z").json()["results"] == []
    for bad in ("since=yesterday", "actor_id=x", "action=%00"):
        assert alice.get(f"/audit?{bad}").status_code == 422


def test_keys_by_a_key(cast, alice, program):
    made = alice.post("/api-keys", {"name": "CI", "kind": "ro"}).json()
    assert made["key"].startswith("oec_live_ro_")
    assert "key" not in alice.get(f"/api-keys/{made['id']}").json()
    assert alice.delete(f"/api-keys/{made['id']}").json()["status"] == "revoked"
    assert alice.post("/api-keys", {"name": "x", "expires_at": "2020-01-01T00:00:00Z"}).status_code == 422


def test_a_key_does_not_outlive_the_one_that_made_it(cast, program):
    from datetime import timedelta

    from apps.core import clock

    limit = clock.now() + timedelta(days=1)
    short = program(cast.acme, cast.alice, expires_at=limit)
    for expiry in (None, (limit + timedelta(hours=1)).isoformat()):
        refused = short.post("/api-keys", {"name": "x", "expires_at": expiry})
        assert (refused.status_code, refused.json()["error"]) == (422, "api.key_outlives_its_maker")
    assert short.post("/api-keys", {"name": "x", "expires_at": limit.isoformat()}).status_code == 201
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize("action", ["check", "bootstrap", "remove", "host-key"])
def test_a_server_of_another_organization(cast, alice, action):
    server = make_server(cast.umbrella)
    method = "PUT" if action == "host-key" else "POST"
    assert alice(method, f"/servers/{server.pk}/{action}", {}).status_code == 404


def test_a_project_leaves_the_platforms_repositories_out(alice):
    made = alice.post("/projects", {"name": "Plain", "odoo_version": "19.0", "use_platform_repositories": False}).json()
    assert made["use_platform_repositories"] is False
    address = f"/projects/{made['id']}"
    assert alice.patch(address, {"use_platform_repositories": True}).json()["use_platform_repositories"] is True
    assert alice.patch(address, {"name": "Plainer"}).json()["use_platform_repositories"] is True
    assert alice.patch(address, {"use_platform_repositories": "perhaps"}).status_code == 422
    usual = alice.post("/projects", {"name": "Usual", "odoo_version": "19.0"}).json()
    assert usual["use_platform_repositories"] is True
