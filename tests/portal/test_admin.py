"""The admin as a whole: every model is there, every page opens, secrets never come out, and what acts is recorded."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import Event
from apps.core.fields import EncryptedTextField
from apps.orgs.models import Membership, Organization
from apps.orgs.roles import Role
from tests.browser.scene import build_scene
from tests.cast import make_person

MODELS = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
REGISTERED = [model for model in admin.site._registry if model.__module__.startswith("apps.")]
# Bytes that belong to another row, which has its page.
PARTS = {"accounts.Avatar", "orgs.OrganizationLogo"}
PLANTED = "planted-secret-of-a-row"


def _address(model, page: str, *arguments: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def test_every_model_is_registered():
    missing = {model._meta.label for model in MODELS} - {model._meta.label for model in REGISTERED} - PARTS
    assert missing == set()


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_no_form_shows_a_secret(model, cast, rf):
    request = rf.get("/")
    request.user = cast.sam
    page = admin.site._registry[model]
    secrets = {field.name for field in model._meta.fields if isinstance(field, EncryptedTextField)}
    for row in (None, model()):
        shown = {name for _, options in page.get_fieldsets(request, row) for name in _flat(options["fields"])}
        assert shown & secrets == set()
    assert set(page.get_list_display(request)) & secrets == set()
    assert secrets.isdisjoint(page.get_readonly_fields(request, model()))


def _flat(fields) -> list[str]:
    return [name for field in fields for name in ([field] if isinstance(field, str) else field)]


@pytest.fixture
def scene(db):
    return build_scene()


def test_every_page_opens_and_no_secret_comes_out(scene, sign_in):
    client = sign_in(scene.cast.sam)
    opened = 0
    for model in REGISTERED:
        for field in model._meta.fields:
            if isinstance(field, EncryptedTextField):
                model._base_manager.update(**{field.name: PLANTED})
        answer = client.get(_address(model, "changelist"), {"q": "x"} if _is_searched(model) else {}, follow=True)
        assert answer.status_code == 200, model
        assert client.get(_address(model, "add")).status_code in (200, 403), model
        row = model._base_manager.first()
        if row is not None:
            answer = client.get(_address(model, "change", row.pk))
            assert answer.status_code == 200, model
            assert PLANTED not in answer.content.decode(), model
            opened += 1
    assert opened > 12


def _is_searched(model) -> bool:
    return bool(admin.site._registry[model].search_fields)


@pytest.mark.parametrize("person", ["alice", "charlie"])
def test_people_find_no_admin(cast, sign_in, person):
    client = sign_in(getattr(cast, person))
    for model in REGISTERED:
        assert client.get(_address(model, "changelist")).status_code == 302


def test_limited_staff_change_nothing(cast, sign_in):
    cast.sam.is_superuser = False
    cast.sam.save()
    client = sign_in(cast.sam)
    assert client.get(_address(Organization, "changelist")).status_code == 200
    assert client.get(_address(User, "changelist")).status_code == 200
    form = {"name": "Taken over", "slug": "acme", "audit_retention_days": "365"}
    assert client.post(_address(Organization, "change", cast.acme.pk), form).status_code == 403
    assert client.post(_address(User, "change", cast.sam.pk), {"is_superuser": "on"}).status_code == 403
    answer = client.post(
        _address(User, "changelist"), {"action": "end_sessions", "_selected_action": [str(cast.alice.pk)]}
    )
    assert b"sessions were ended" not in answer.content
    cast.sam.refresh_from_db()
    assert not cast.sam.is_superuser


def test_an_organization_is_changed_by_its_service(cast, sign_in):
    client = sign_in(cast.sam)
    form = {"name": "Acme Works", "slug": "acme-works", "colour": "", "audit_retention_days": "90"}
    inline = {f"memberships-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")}
    assert client.post(_address(Organization, "change", cast.acme.pk), form | inline).status_code == 302
    event = Event.objects.get(action="organization.updated")
    assert (event.actor_id, event.before["slug"], event.after["slug"]) == (cast.sam.pk, "acme", "acme-works")
    answer = client.post(_address(Organization, "change", cast.acme.pk), form | inline | {"slug": "umbrella"})
    assert answer.status_code in (200, 302)
    assert Organization.objects.get(pk=cast.acme.pk).slug == "acme-works"
    answer = client.post(_address(Organization, "change", cast.acme.pk), form | inline | {"audit_retention_days": "5"})
    assert answer.status_code == 200
    assert client.post(_address(Organization, "delete", cast.acme.pk), {"post": "yes"}).status_code == 403


def test_roles_are_changed_by_their_service(cast, sign_in):
    client = sign_in(cast.sam)
    bob = Membership.objects.get(organization=cast.acme, user=cast.bob)
    assert client.post(_address(Membership, "change", bob.pk), {"role": "viewer"}).status_code == 302
    bob.refresh_from_db()
    assert bob.role == Role.VIEWER
    assert User.objects.get(pk=cast.bob.pk).has_perm("project.environments.deploy", cast.acme) is False
    assert Event.objects.filter(actor_id=cast.sam.pk, target_id=cast.bob.pk, action__startswith="member.").exists()


def test_the_owner_stays_the_owner(cast, sign_in):
    client = sign_in(cast.sam)
    owner = Membership.objects.get(organization=cast.acme, user=cast.alice)
    bob = Membership.objects.get(organization=cast.acme, user=cast.bob)
    for row, role in ((owner, "viewer"), (bob, "owner")):
        client.post(_address(Membership, "change", row.pk), {"role": role})
    client.post(_address(Membership, "delete", owner.pk), {"post": "yes"})
    client.post(
        _address(Membership, "changelist"),
        {"action": "delete_selected", "_selected_action": [str(owner.pk)], "post": "yes"},
    )
    owner.refresh_from_db()
    bob.refresh_from_db()
    assert (owner.role, bob.role) == (Role.OWNER, Role.DEVELOPER)


def test_members_come_and_go_by_their_services(cast, sign_in):
    client, nora = sign_in(cast.sam), make_person("Nora")
    form = {"organization": str(cast.acme.pk), "user": str(nora.pk), "role": "viewer"}
    assert client.post(_address(Membership, "add"), form).status_code == 302
    made = Membership.objects.get(user=nora)
    assert Event.objects.filter(action="member.added", target_id=nora.pk).exists()
    assert client.post(_address(Membership, "delete", made.pk), {"post": "yes"}).status_code == 302
    assert not Membership.objects.filter(user=nora).exists()
    assert Event.objects.filter(action="member.removed", target_id=nora.pk).exists()


def test_who_becomes_staff_stands_in_the_trail(cast, sign_in):
    client = sign_in(cast.sam)
    form = {
        "email": cast.bob.email,
        "display_name": "Bob",
        "time_zone": "UTC",
        "theme": "system",
        "is_active": "on",
        "is_staff": "on",
    }
    assert client.post(_address(User, "change", cast.bob.pk), form).status_code == 302
    event = Event.objects.get(action="account.changed_by_staff")
    assert (event.before["is_staff"], event.after["is_staff"]) == (False, True)
    assert client.post(_address(User, "delete", cast.bob.pk), {"post": "yes"}).status_code == 403


def test_a_password_that_staff_give_stands_in_the_trail_and_ends_sessions(cast, sign_in):
    bob = sign_in(cast.bob)
    assert bob.get("/o/acme/").status_code == 200
    address = reverse("admin:auth_user_password_change", args=[cast.bob.pk])
    form = {"usable_password": "true", "password1": "Another-horse-7", "password2": "Another-horse-7"}
    assert sign_in(cast.sam).post(address, form).status_code == 302
    event = Event.objects.get(action="account.password_given_by_staff")
    assert (event.actor_id, event.target_id) == (cast.sam.pk, cast.bob.pk)
    assert "Another-horse-7" not in str(list(Event.objects.values()))
    assert bob.get("/o/acme/").status_code == 302


@pytest.mark.parametrize(
    ("model", "action", "address", "name"),
    [
        (User, "view_as", "/admin/orgs/viewas/add/?email=bob%40example.com", "email"),
        (Organization, "ask_for_access", "/admin/orgs/supportaccess/add/?slug=acme", "slug"),
    ],
)
def test_one_row_leads_to_the_page_that_asks_why(cast, sign_in, model, action, address, name):
    client, row = sign_in(cast.sam), {"email": cast.bob, "slug": cast.acme}[name]
    answer = client.post(_address(model, "changelist"), {"action": action, "_selected_action": [str(row.pk)]})
    assert (answer.status_code, answer.url) == (302, address)
    assert f'value="{getattr(row, name)}"' in client.get(address).content.decode()
    every = [str(pk) for pk in model.objects.values_list("pk", flat=True)]
    answer = client.post(_address(model, "changelist"), {"action": action, "_selected_action": every}, follow=True)
    assert b"Choose one" in answer.content
