"""Every route, walked as nobody, as a stranger and as members in each role. A new route needs a row in TABLE."""

from __future__ import annotations

import re

import pytest
from django.urls import URLPattern, get_resolver, reverse

from apps.core import clock
from apps.environments.models import Environment, EnvironmentVariable, Status
from apps.orgs.invitations import invite
from apps.orgs.models import (
    CustomRole,
    CustomRoleAssignment,
    Invitation,
    Membership,
    PermissionOverride,
    QuotaRequest,
    SupportAccess,
)
from apps.orgs.roles import CODES_BY_MEMBERSHIP
from apps.projects.models import GitCredential, RegistryAccount, Repository
from tests.browser.scene import Scene, build_scene, make_environment
from tests.factories import owner_of

GET, POST = "get", "post"
# What anyone who is signed in may do, about themselves alone.
OWN = ""
# Route: how it is called, and the permission that a member needs. Forms stand twice: to look, and to send.
TABLE: list[tuple[str, str, str]] = [
    ("portal:home", GET, OWN),
    ("portal:organization_create", GET, OWN),
    ("portal:organization_create", POST, OWN),
    ("portal:account", GET, OWN),
    ("portal:account", POST, OWN),
    ("accounts:avatar", GET, OWN),
    ("personal:data", GET, OWN),
    ("personal:export", POST, OWN),
    ("personal:erase", POST, OWN),
    ("accounts:security", GET, OWN),
    ("accounts:second_factor", GET, OWN),
    ("accounts:sessions", GET, OWN),
    ("accounts:end_session", POST, OWN),
    ("accounts:end_other_sessions", POST, OWN),
    ("portal:organization", GET, "org.view"),
    ("portal:search", GET, "org.view"),
    ("portal:activity", GET, "org.view"),
    ("portal:running", GET, "org.view"),
    ("portal:organization_settings", GET, "org.view"),
    ("portal:organization_settings", POST, "org.update"),
    ("portal:organization_logo", POST, "org.update"),
    ("portal:organization_ownership", GET, "org.ownership.transfer"),
    ("portal:organization_ownership", POST, "org.ownership.transfer"),
    ("portal:organization_delete", GET, "org.delete"),
    ("portal:organization_delete", POST, "org.delete"),
    ("portal:organization_keep", POST, "org.delete"),
    ("portal:invitations", GET, "org.members.manage"),
    ("portal:invitations", POST, "org.members.manage"),
    ("portal:invitations_clean_up", POST, "org.members.manage"),
    ("portal:invitation_resend", POST, "org.members.manage"),
    ("portal:invitation_revoke", POST, "org.members.manage"),
    ("portal:quotas", GET, "org.quotas.view"),
    ("portal:quota_ask", GET, "org.quotas.view"),
    ("portal:quota_ask", POST, "org.quotas.view"),
    ("portal:quota_withdraw", POST, "org.quotas.manage"),
    ("orgs:members", GET, "org.members.list"),
    ("orgs:change_role", POST, "org.members.manage"),
    ("orgs:remove_member", GET, "org.members.manage"),
    ("orgs:remove_member", POST, "org.members.manage"),
    ("orgs:leave", GET, "org.view"),
    ("orgs:leave", POST, "org.view"),
    ("orgs:join_code", GET, OWN),
    ("orgs:join_code", POST, OWN),
    ("portal:teams", GET, "org.teams.list"),
    ("portal:teams", POST, "org.teams.manage"),
    ("portal:team", GET, "org.teams.list"),
    ("portal:team", POST, "org.teams.manage"),
    ("portal:team_delete", POST, "org.teams.manage"),
    ("portal:team_member_add", POST, "org.teams.manage"),
    ("portal:team_member_remove", POST, "org.teams.manage"),
    ("portal:team_project", POST, "org.teams.manage"),
    ("portal:roles", GET, "org.roles.view"),
    ("portal:role_create", GET, "org.roles.manage"),
    ("portal:role_create", POST, "org.roles.manage"),
    ("portal:role", GET, "org.roles.manage"),
    ("portal:role", POST, "org.roles.manage"),
    ("portal:role_delete", POST, "org.roles.manage"),
    ("portal:person_rights", GET, "org.roles.view"),
    ("portal:override_set", POST, "org.roles.manage"),
    ("portal:override_remove", POST, "org.roles.manage"),
    ("portal:role_give", POST, "org.roles.manage"),
    ("portal:role_take", POST, "org.roles.manage"),
    ("portal:project_members", GET, "project.members.manage"),
    ("portal:project_person", POST, "project.members.manage"),
    ("portal:project_team", POST, "project.members.manage"),
    ("portal:audit", GET, "org.audit.view"),
    ("portal:audit_export", GET, "org.audit.view"),
    ("portal:support", GET, "org.audit.view"),
    ("portal:support_grant", POST, "org.ownership.transfer"),
    ("portal:support_refuse", POST, "org.ownership.transfer"),
    ("portal:support_end", POST, "org.members.manage"),
    ("portal:view_as_end", POST, OWN),
    ("portal:operation", GET, "project.deployments.view"),
    ("operations:lines", GET, "project.deployments.view"),
    ("operations:steps", GET, "project.deployments.view"),
    ("operations:download", GET, "project.deployments.view"),
    ("operations:cancel", POST, "project.deployments.cancel"),
    ("servers:list", GET, "org.servers.list"),
    ("servers:add", GET, "org.servers.create"),
    ("servers:add", POST, "org.servers.create"),
    ("servers:detail", GET, "org.servers.list"),
    ("servers:settings", GET, "org.servers.update"),
    ("servers:settings", POST, "org.servers.update"),
    ("servers:host_key", GET, "org.servers.update"),
    ("servers:host_key_confirm", POST, "org.servers.update"),
    ("servers:test", POST, "org.servers.update"),
    ("servers:prepare", POST, "org.servers.update"),
    ("servers:sync", POST, "org.servers.update"),
    ("servers:remove", POST, "org.servers.delete"),
    ("servers:give_up", POST, "org.servers.delete"),
    ("environments:capacity", GET, "org.servers.list"),
    ("projects:list", GET, "org.projects.list"),
    ("projects:create", GET, "org.projects.create"),
    ("projects:create", POST, "org.projects.create"),
    ("projects:branches", POST, "org.projects.create"),
    ("projects:credentials", GET, "org.git.list"),
    ("projects:add_token", POST, "org.git.manage"),
    ("projects:add_key", POST, "org.git.manage"),
    ("projects:replace_token", POST, "org.git.manage"),
    ("projects:forget_host_key", POST, "org.git.manage"),
    ("projects:remove_credential", POST, "org.git.manage"),
    ("projects:registries", GET, "org.git.list"),
    ("projects:add_registry", POST, "org.git.manage"),
    ("projects:check_registry", POST, "org.git.manage"),
    ("projects:replace_registry_password", POST, "org.git.manage"),
    ("projects:remove_registry", POST, "org.git.manage"),
    ("projects:settings", GET, "project.view"),
    ("projects:settings", POST, "project.update"),
    ("projects:delete", POST, "project.delete"),
    ("projects:add_repository", GET, "project.repos.manage"),
    ("projects:add_repository", POST, "project.repos.manage"),
    ("projects:repository", GET, "project.repos.manage"),
    ("projects:repository", POST, "project.repos.manage"),
    ("projects:check_repository", POST, "project.repos.manage"),
    ("projects:remove_repository", POST, "project.repos.manage"),
    ("projects:commits", GET, "project.view"),
    ("environments:stages", GET, "project.view"),
    ("environments:create", GET, "project.environments.create"),
    ("environments:create", POST, "project.environments.create"),
    ("environments:preview", POST, "project.environments.create"),
    ("environments:restore", POST, "project.environments.create"),
    ("environments:purge", POST, "project.environments.delete"),
    ("environments:overview", GET, "project.environments.view"),
    ("environments:action", POST, "project.environments.control"),
    ("environments:logs", GET, "project.environments.logs.view"),
    ("environments:log_lines", GET, "project.environments.logs.view"),
    ("environments:log_download", GET, "project.environments.logs.view"),
    ("environments:variables", GET, "project.environments.vars.view"),
    ("environments:variables", POST, "project.environments.vars.manage"),
    ("environments:variable_delete", POST, "project.environments.vars.manage"),
    ("environments:repositories", GET, "project.environments.view"),
    ("environments:repositories", POST, "project.environments.update"),
    ("environments:settings", GET, "project.environments.view"),
    ("environments:settings", POST, "project.environments.update"),
    ("environments:resize", POST, "project.environments.update"),
    ("environments:destroy", POST, "project.environments.delete"),
    ("domains:domains", GET, "project.environments.view"),
    ("domains:check", POST, "project.environments.view"),
    ("domains:order", POST, "project.environments.domains.manage"),
    ("deployments:list", GET, "project.deployments.view"),
    ("deployments:detail", GET, "project.deployments.view"),
    ("deployments:retry", POST, "project.environments.deploy"),
    ("deployments:access", GET, "project.environments.view"),
    ("deployments:open", POST, "project.environments.shell"),
    ("deployments:reveal_password", POST, "project.environments.shell"),
]
# Told what it is by its own tests: signing in and out (allauth), the admin, the API (tests/api/test_every_endpoint.py),
# and what everybody may ask.
NOT_WALKED = re.compile(
    r"^(admin:|api:|account_|socialaccount_|(github|gitlab|google|microsoft|openid_connect)_|mfa_|usersessions_"
    r"|accounts:verify$|portal:theme$|orgs:(join|style|logo)$|.*javascript)"
)
# These reach out to a server or a Git host, which the scene does not have; who is let in is seen all the same.
# The page of a deployment's operation leads on to the deployment.
LEADS_ON = {"portal:operation"}
REACHES_OUT = {"servers:host_key", "environments:log_lines", "environments:log_download", "projects:commits"}


def named_routes(resolver=None, namespace=""):
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLPattern):
            if entry.name:
                yield f"{namespace}{entry.name}", list(entry.pattern.converters)
        else:
            yield from named_routes(entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace)


def parameters_of(name: str) -> set[str]:
    """The names of all parameters in the whole address of a route."""
    namespace, _, short = name.rpartition(":")
    resolver = get_resolver()
    if not namespace:
        return set(resolver.reverse_dict.getlist(short)[0][0][0][1])
    prefix, inner = resolver.namespace_dict[namespace]
    return set(inner.reverse_dict.getlist(short)[0][0][0][1]) | set(re.findall(r"%\((\w+)\)s", prefix))


@pytest.fixture(scope="module")
def scene(django_db_setup, django_db_blocker) -> Scene:
    """One scene for all rows; every row is rolled back."""
    with django_db_blocker.unblock():
        yield build_scene()
        _clear()


def _clear() -> None:
    from django.core.management import call_command

    call_command("flush", verbosity=0, interactive=False)


def address_of(name: str, scene: Scene) -> str:
    environment = scene.environments["production"]
    project = environment.project
    organization = scene.organization
    values = {
        "organization": organization.slug,
        "server": scene.servers[0].slug,
        "session": 0,
        "person": scene.cast.alice.pk,
        "version": "none",
        "project": project.slug,
        "environment": environment.slug,
        "operation_id": scene.deployments["completed"].operation_id,
        "number": scene.deployments["completed"].number,
        "action": "stop",
        "identifier": _destroyed(environment).pk,
        "repository": Repository.objects.filter(project=project).first().pk,
        "credential": _credential(organization).pk,
        "account": _account(organization).pk,
        "variable": _variable(environment).pk,
        "access": _support_access(organization, scene.cast.sam).pk,
        "membership_id": Membership.objects.get(organization=organization, user=scene.cast.vera).pk,
        "invitation_id": _invitation(organization).pk,
        "team": scene.cast.crew.pk,
        **_given(organization, scene.cast.vera),
        "request_id": QuotaRequest.objects.get_or_create(organization=organization, reason="Walked")[0].pk,
    }
    return reverse(name, kwargs={key: values[key] for key in parameters_of(name)})


def _destroyed(environment) -> Environment:
    """One that waits to be purged, in the same project."""
    values = {"status": Status.DELETED, "destroyed_at": clock.now(), "host_name": "gone.example.com"}
    found = Environment.objects.filter(project=environment.project, slug="gone").first()
    if found is None:
        found = make_environment(environment.project, "gone", "development", Status.DELETED, environment.server, 99)
        Environment.objects.filter(pk=found.pk).update(**values)
    return found


def _credential(organization) -> GitCredential:
    return GitCredential.objects.get_or_create(organization=organization, name="Walked", defaults={"kind": "token"})[0]


def _invitation(organization) -> Invitation:
    found = Invitation.objects.filter(organization=organization).first()
    return found or invite(organization=organization, role="viewer", actor=owner_of(organization))


def _given(organization, person) -> dict[str, object]:
    """A role of the organization's own and an exception, both the person's."""
    role, _ = CustomRole.objects.get_or_create(organization=organization, name="Walked", codes=["org.view"])
    assignment, _ = CustomRoleAssignment.objects.get_or_create(role=role, user=person)
    override, _ = PermissionOverride.objects.get_or_create(
        organization=organization, user=person, code="org.view", effect="grant"
    )
    return {"role": role.pk, "assignment": assignment.pk, "override": override.pk}


def _account(organization) -> RegistryAccount:
    defaults = {"kind": "other", "host": "registry.example.com"}
    return RegistryAccount.objects.get_or_create(organization=organization, name="Walked", defaults=defaults)[0]


def _support_access(organization, staff) -> SupportAccess:
    defaults = {"reason": "Walked", "minutes": 60}
    return SupportAccess.objects.get_or_create(organization=organization, staff=staff, defaults=defaults)[0]


def _variable(environment) -> EnvironmentVariable:
    defaults = {"kind": "string", "value": "x"}
    return EnvironmentVariable.objects.get_or_create(environment=environment, key="WALKED", defaults=defaults)[0]


def test_every_route_has_its_row():
    known = {name for name, _, _ in TABLE}
    routes = {name for name, _ in named_routes() if not NOT_WALKED.match(name)}
    assert routes - known == set(), "add a row to TABLE for these"
    assert known - routes == set(), "these routes are gone"


@pytest.mark.parametrize(("name", "method", "code"), TABLE)
@pytest.mark.django_db
def test_nobody_is_asked_to_sign_in(scene, client, name, method, code):
    answer = getattr(client, method)(address_of(name, scene))
    assert answer.status_code == 302
    assert answer.url.startswith("/account/login/")


@pytest.mark.parametrize(("name", "method", "code"), [row for row in TABLE if row[2]])
@pytest.mark.django_db
def test_a_stranger_finds_nothing(scene, sign_in, name, method, code):
    answer = getattr(sign_in(scene.cast.charlie), method)(address_of(name, scene))
    assert answer.status_code == 404


@pytest.mark.parametrize("person", ["anna", "bob", "vera"])
@pytest.mark.parametrize(("name", "method", "code"), [row for row in TABLE if row[2]])
@pytest.mark.django_db
def test_a_member_without_the_right_is_refused(scene, sign_in, name, method, code, person):
    user = getattr(scene.cast, person)
    role = Membership.objects.get(user=user, organization=scene.organization).role
    granted = code in CODES_BY_MEMBERSHIP[role]
    if granted and (method == POST or name in REACHES_OUT):
        # Doing it is the matter of each action's own tests; here it is only seen who is kept out.
        return
    answer = getattr(sign_in(user), method)(address_of(name, scene))
    assert answer.status_code == ((302 if name in LEADS_ON else 200) if granted else 403)
