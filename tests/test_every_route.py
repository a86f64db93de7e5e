"""Every route, walked as nobody, as a stranger and as members in each role. A new route needs a row in TABLE."""

from __future__ import annotations

import re

import pytest
from django.urls import URLPattern, get_resolver, reverse

from apps.api.models import ApiKey
from apps.core import clock
from apps.environments.models import Environment, EnvironmentVariable, Status
from apps.notifications.models import Delivery, Event, Notice, Webhook
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
from tests.routes import POST, TABLE

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
        "key": _key(organization).pk,
        "access": _support_access(organization, scene.cast.sam).pk,
        "membership_id": Membership.objects.get(organization=organization, user=scene.cast.vera).pk,
        "invitation_id": _invitation(organization).pk,
        "team": scene.cast.crew.pk,
        **_given(organization, scene.cast.vera),
        **_told(organization, scene.cast.alice),
        "request_id": QuotaRequest.objects.filter(organization=organization).first().pk,
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


def _told(organization, person) -> dict[str, object]:
    """A webhook with a delivery, and a notice of the person's."""
    hook = {"url": "https://127.0.0.1:9/", "events": ["deploy.failed"]}
    webhook, _ = Webhook.objects.get_or_create(organization=organization, name="Walked", defaults=hook)
    happened = {"kind": "deploy.failed", "title": "Walked", "happened_at": clock.now(), "dispatched_at": clock.now()}
    event, _ = Event.objects.get_or_create(organization=organization, key="walked", defaults=happened)
    waiting = {"next_attempt_at": clock.now()}
    delivery, _ = Delivery.objects.get_or_create(webhook=webhook, event=event, defaults=waiting)
    notice, _ = Notice.objects.get_or_create(user=person, event=event)
    return {"webhook": webhook.pk, "delivery": delivery.pk, "notice": notice.pk}


def _account(organization) -> RegistryAccount:
    defaults = {"kind": "other", "host": "registry.example.com"}
    return RegistryAccount.objects.get_or_create(organization=organization, name="Walked", defaults=defaults)[0]


def _support_access(organization, staff) -> SupportAccess:
    defaults = {"reason": "Walked", "minutes": 60}
    return SupportAccess.objects.get_or_create(organization=organization, staff=staff, defaults=defaults)[0]


def _variable(environment) -> EnvironmentVariable:
    defaults = {"kind": "string", "value": "x"}
    return EnvironmentVariable.objects.get_or_create(environment=environment, key="WALKED", defaults=defaults)[0]


def _key(organization) -> ApiKey:
    defaults = {"created_by": owner_of(organization), "digest": "walked", "last_four": "xxxx"}
    return ApiKey.objects.get_or_create(organization=organization, name="Walked", defaults=defaults)[0]


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
