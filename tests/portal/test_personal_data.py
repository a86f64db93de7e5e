"""A person's own data: taken out, and erased."""

from __future__ import annotations

import io
import json
import threading
import zipfile

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection, connections, models
from django.db.models import Q
from django.test import Client

from apps.accounts.models import User
from apps.audit.models import Event
from apps.orgs import invitations
from apps.orgs.models import Invitation, Membership
from apps.orgs.roles import Role
from apps.portal.personal import erasure
from apps.portal.personal.erasure import NAME, proven_addresses
from apps.portal.personal.relations import KEPT, OWN, relations
from tests.cast import PASSWORD, make_person

SEED = "JBSWY3DPEHPK3PXP"


def fresh(user: User) -> Client:
    """Signed in, and asked for the password just now."""
    client = Client()
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def erase(client: Client, address: str):
    return client.post("/account/data/erase/", {"confirm_name": address})


def exported(client: Client) -> dict:
    answer = client.post("/account/data/export/")
    assert answer.headers["Content-Type"] == "application/zip"
    assert "no-store" in answer.headers["Cache-Control"]
    return json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("data.json"))


def test_of_every_table_that_points_at_a_person_it_is_decided_what_becomes_of_it():
    deleted_with = {
        relation.related_model._meta.label
        for relation in User._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and getattr(relation, "on_delete", None) is models.CASCADE
    }
    assert deleted_with == OWN | KEPT
    assert {relation.label for relation in relations() if relation.is_own} == OWN


@pytest.mark.django_db
def test_the_file_holds_what_is_stored_and_nothing_that_opens_a_door(cast):
    EmailAddress.objects.create(user=cast.bob, email=cast.bob.email, verified=True, primary=True)
    client = fresh(cast.bob)
    TOTP.activate(cast.bob, SEED)
    content = exported(client)
    assert content["person"]["email"] == "bob@example.com"
    assert [row["role"] for row in content["own"]["orgs.Membership"]] == ["developer"]
    assert content["own"]["account.EmailAddress"][0]["verified"] is True
    assert content["own"]["usersessions.UserSession"][0]["ip"] == "127.0.0.1"
    assert content["own"]["mfa.Authenticator"][0]["type"] == "totp"
    assert "account.signed_in" in {event["action"] for event in content["events"]}
    text = json.dumps(content)
    for secret in (SEED, "gcm:", client.session.session_key, cast.bob.password, "alice@example.com"):
        assert secret not in text


@pytest.mark.django_db
def test_what_was_done_in_an_organization_is_named_not_copied(cast):
    cast.acme.deletion_requested_by = cast.bob
    cast.acme.save()
    row = exported(fresh(cast.bob))["done"]["orgs.Organization"][0]
    assert row["as"] == "deletion_requested_by"
    assert "Acme" not in json.dumps(row)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["export", "erase"])
def test_an_old_session_is_asked_for_the_password(cast, sign_in, path):
    answer = sign_in(cast.bob).post(f"/account/data/{path}/", {"confirm_name": cast.bob.email})
    assert answer.headers["Location"].startswith("/account/reauthenticate/")
    assert User.objects.filter(email=cast.bob.email).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["export", "erase"])
def test_a_link_or_a_foreign_form_does_nothing(cast, path):
    client = fresh(cast.bob)
    assert client.get(f"/account/data/{path}/").status_code == 405
    checked = Client(enforce_csrf_checks=True)
    checked.cookies = client.cookies
    assert checked.post(f"/account/data/{path}/", {"confirm_name": cast.bob.email}).status_code == 403
    assert User.objects.filter(email=cast.bob.email).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["", "bob", "alice@example.com", "ERASE"])
def test_erasing_needs_the_address(cast, typed):
    answer = erase(fresh(cast.bob), typed)
    assert answer.status_code == 422
    assert "Type bob@example.com to confirm" in answer.content.decode()
    assert User.objects.filter(email=cast.bob.email).exists()


@pytest.mark.django_db
def test_an_owner_is_told_which_organizations_stand_in_the_way(cast):
    client = fresh(cast.alice)
    assert "Acme" in client.get("/account/data/").content.decode()
    answer = erase(client, cast.alice.email)
    assert answer.status_code == 422
    assert "You own Acme." in answer.content.decode()
    assert Membership.objects.filter(user=cast.alice).exists()


@pytest.mark.django_db
def test_the_only_administrator_stays(cast):
    answer = erase(fresh(cast.sam), cast.sam.email)
    assert "only administrator" in answer.content.decode()
    assert User.objects.filter(email=cast.sam.email).exists()


@pytest.mark.django_db
def test_an_erased_person_is_nobody_and_what_they_did_stays(cast):
    bob = cast.bob
    EmailAddress.objects.create(user=bob, email=bob.email, verified=True, primary=True)
    EmailAddress.objects.create(user=bob, email="bobby@example.com", verified=True)
    cast.acme.deletion_requested_by = bob
    cast.acme.save()
    other = fresh(bob)
    client = fresh(bob)
    assert erase(client, "Bob@Example.com").status_code == 302
    bob.refresh_from_db()
    cast.acme.refresh_from_db()
    assert (str(bob), bob.email, bob.is_active) == (NAME, f"{bob.pk}@erased.invalid", False)
    assert cast.acme.deletion_requested_by == bob
    for model in (Membership, EmailAddress, Authenticator):
        assert not model.objects.filter(user=bob).exists()
    assert other.get("/account/").status_code == 302
    again = Client().post("/account/login/", {"login": "bob@example.com", "password": PASSWORD})
    assert again.status_code == 200
    assert User.objects.create_user("bob@example.com", PASSWORD).pk != bob.pk


@pytest.mark.django_db
def test_the_trail_keeps_the_uuid_and_forgets_the_name(cast):
    bob = cast.bob
    erase(fresh(bob), bob.email)
    mine = Event.objects.filter(actor_id=bob.pk)
    assert mine.filter(action="account.erased").exists()
    assert mine.filter(action="member.left").exists()
    assert "bob@example.com" not in "\n".join(str(row) for row in Event.objects.values())
    about = Event.objects.filter(Q(actor_id=bob.pk) | Q(target_id=bob.pk))
    assert "'Bob'" not in "\n".join(str(row) for row in about.values())
    assert not mine.exclude(ip_address=None).exists()


@pytest.mark.django_db
def test_nothing_is_half_erased_when_it_fails(cast):
    client = fresh(cast.bob)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_user ADD CONSTRAINT nobody_is_erased CHECK (email NOT LIKE '%.invalid')")
    client.raise_request_exception = False
    assert erase(client, cast.bob.email).status_code == 500
    assert Membership.objects.filter(user=cast.bob).exists()


def stranger_with(address: str) -> User:
    """Somebody who signed up with an address that is not shown to be theirs."""
    client = Client()
    client.post("/account/signup/", {"email": address, "password1": PASSWORD, "password2": PASSWORD})
    return User.objects.get(email=address)


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["dora@example.com", "ora@example.com", "a@example.com"])
def test_a_stranger_who_claims_an_address_takes_nothing_of_others(cast, address):
    """Neither the trail of organizations, nor invitations: the address, or a part of others', is only claimed."""
    invitation = invitations.invite(
        organization=cast.acme, email="dora@example.com", role=Role.VIEWER, actor=cast.alice
    )
    stranger = stranger_with(address)
    mine = Q(actor_id=stranger.pk) | Q(target_id=stranger.pk)
    before = list(Event.objects.exclude(mine).order_by("pk").values())
    assert erase(fresh(stranger), address).status_code == 302
    assert list(Event.objects.exclude(mine).order_by("pk").values()) == before
    assert Invitation.objects.filter(pk=invitation.pk).exists()
    assert address not in "\n".join(str(row) for row in Event.objects.filter(mine).values())


@pytest.mark.django_db
@pytest.mark.parametrize("is_primary", [False, True])
def test_an_address_that_was_only_added_is_nobodys(cast, is_primary):
    """Adding accepts any address; where nothing was ever confirmed, even the one to sign in with."""
    invitation = invitations.invite(
        organization=cast.acme, email="dora@example.com", role=Role.VIEWER, actor=cast.alice
    )
    client = fresh(cast.charlie)
    client.post("/account/email/", {"action_add": "", "email": "dora@example.com"})
    if is_primary:
        client.post("/account/email/", {"action_primary": "", "email": "dora@example.com"})
    charlie = User.objects.get(pk=cast.charlie.pk)
    assert (charlie.email == "dora@example.com") is is_primary
    assert not invitations.has_verified(charlie, "dora@example.com")
    assert "dora@example.com" not in proven_addresses(charlie)
    assert "Acme" not in json.dumps(exported(client))
    cast.umbrella.delete()
    assert erase(client, charlie.email).status_code == 302
    assert Invitation.objects.filter(pk=invitation.pk).exists()
    assert Event.objects.filter(action="invitation.created", after__email="dora@example.com").exists()


@pytest.mark.django_db
def test_invitations_to_a_confirmed_address_go_with_the_person(cast):
    EmailAddress.objects.create(user=cast.bob, email="bobby@example.com", verified=True)
    invitations.invite(organization=cast.umbrella, email="bobby@example.com", role=Role.VIEWER, actor=cast.charlie)
    assert erase(fresh(cast.bob), cast.bob.email).status_code == 302
    assert not Invitation.objects.exists()
    assert "bobby@example.com" not in "\n".join(str(row) for row in Event.objects.values())


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_go_at_once_leave_one():
    people = [make_person(name, is_staff=True, is_superuser=True) for name in ("Sam", "Sue")]
    refused: list[Exception] = []
    start = threading.Barrier(2)

    def go(user: User) -> None:
        try:
            start.wait(timeout=20)
            erasure.erase(user=user, confirmation=user.email)
        except Exception as failure:
            refused.append(failure)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [failure.code for failure in refused] == ["personal.last_administrator"]
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1
