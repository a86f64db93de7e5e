"""Codes from an app, and the eight backup codes (features ACC-3)."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.cache import cache
from django.test import Client

from apps.accounts.models import User
from apps.accounts.second_factor import has_second_factor
from apps.audit.models import Event
from apps.core.keyring import DecryptionError
from tests.cast import PASSWORD


def code_of(secret: str) -> str:
    """What an app shows now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def fresh_client(user: User) -> Client:
    """Signed in, and asked for the password just now."""
    client = Client()
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


@pytest.fixture
def alice(cast):
    cast.alice.emailaddress_set.create(email=cast.alice.email, verified=True, primary=True)
    return cast.alice


@pytest.fixture
def secret(alice) -> str:
    """Alice has codes from an app, with this key, and backup codes."""
    key = "JBSWY3DPEHPK3PXP"
    TOTP.activate(alice, key)
    RecoveryCodes.activate(alice)
    return key


def sign_in_halfway(user: User) -> Client:
    client = Client()
    answer = client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    assert answer.headers["Location"] == "/account/2fa/authenticate/"
    return client


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_setting_up_codes_shows_eight_backup_codes_once(alice):
    client = fresh_client(alice)
    page = client.get("/account/2fa/totp/activate/")
    assert "data:image/svg+xml" in page.content.decode()
    answer = client.post("/account/2fa/totp/activate/", {"code": code_of(page.context["form"].secret)}, follow=True)
    shown = re.findall(r"\b\d{8}\b", answer.content.decode())
    assert len(set(shown)) == 8
    assert has_second_factor(alice)
    again = client.get("/account/2fa/recovery-codes/").content.decode()
    assert not any(code in again for code in shown)
    assert "8 of 8 are left" in again
    assert Event.objects.filter(action="account.second_factor_added", actor_id=alice.pk).count() == 2
    assert "codes from an app" in mail.outbox[-1].body
    assert client.get("/account/2fa/recovery-codes/download/").status_code in (403, 404)


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["", "000000", "12345", "abcdef", "1234567", "１２３４５６"])
def test_a_wrong_code_sets_nothing_up(alice, code):
    client = fresh_client(alice)
    client.get("/account/2fa/totp/activate/")
    answer = client.post("/account/2fa/totp/activate/", {"code": code})
    assert answer.status_code == 200
    assert not has_second_factor(alice)


@pytest.mark.django_db
def test_setting_up_asks_for_the_password_first(alice, sign_in):
    for path in ("totp/activate/", "recovery-codes/generate/", "webauthn/add/"):
        answer = sign_in(alice).get(f"/account/2fa/{path}")
        assert answer.headers["Location"].startswith("/account/reauthenticate/")


@pytest.mark.django_db
def test_without_a_confirmed_address_nothing_is_set_up(cast):
    cast.bob.emailaddress_set.create(email=cast.bob.email, verified=False, primary=True)
    client = fresh_client(cast.bob)
    page = client.get("/account/2fa/totp/activate/", follow=True)
    assert "Confirm your e-mail address" in page.content.decode() or page.redirect_chain
    assert not has_second_factor(cast.bob)


@pytest.mark.django_db
def test_the_password_alone_does_not_sign_in_any_more(alice, secret):
    client = sign_in_halfway(alice)
    assert not is_in(client)
    client.post("/account/2fa/authenticate/", {"code": code_of(secret)})
    assert is_in(client)


@pytest.mark.django_db
def test_a_code_works_once(alice, secret):
    code = code_of(secret)
    sign_in_halfway(alice).post("/account/2fa/authenticate/", {"code": code})
    second = sign_in_halfway(alice)
    second.post("/account/2fa/authenticate/", {"code": code})
    assert not is_in(second)


@pytest.mark.django_db
def test_a_backup_code_works_once(alice, secret):
    codes = Authenticator.objects.get(user=alice, type="recovery_codes").wrap().get_unused_codes()
    assert len(codes) == 8
    first, second = sign_in_halfway(alice), sign_in_halfway(alice)
    first.post("/account/2fa/authenticate/", {"code": codes[0]})
    second.post("/account/2fa/authenticate/", {"code": codes[0]})
    assert is_in(first)
    assert not is_in(second)


@pytest.mark.django_db
def test_guessed_codes_are_limited(alice, secret):
    client = sign_in_halfway(alice)
    for _ in range(6):
        client.post("/account/2fa/authenticate/", {"code": "000000"})
    answer = client.post("/account/2fa/authenticate/", {"code": code_of(secret)})
    assert not is_in(client)
    assert "Too many" in answer.content.decode()
    assert Event.objects.filter(action="account.second_factor_failed", target_id=alice.pk).exists()


@pytest.mark.django_db
def test_seeds_are_encrypted_and_bound_to_their_place(alice, secret):
    totp = Authenticator.objects.get(user=alice, type="totp")
    assert secret not in str(totp.data)
    totp.data["secret"] = "gcm:test:AAAA"
    with pytest.raises(DecryptionError):
        totp.wrap().validate_code("000000")


@pytest.mark.django_db
def test_the_last_factor_takes_the_backup_codes_with_it(alice, secret):
    client = fresh_client_with_code(alice, secret)
    client.post("/account/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=alice).exists()
    assert Event.objects.filter(action="account.second_factor_removed", actor_id=alice.pk).exists()


def fresh_client_with_code(user: User, secret: str) -> Client:
    client = sign_in_halfway(user)
    client.post("/account/2fa/authenticate/", {"code": code_of(secret)})
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


@pytest.mark.django_db
def test_the_admin_too_asks_for_the_second_factor(cast):
    cast.sam.emailaddress_set.create(email=cast.sam.email, verified=True, primary=True)
    TOTP.activate(cast.sam, "JBSWY3DPEHPK3PXP")
    client = Client()
    client.post("/account/login/?next=/admin/", {"login": cast.sam.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_staff_remove_a_lost_factor_and_end_the_sessions(alice, secret, cast, sign_in):
    theirs = fresh_client_with_code(alice, secret)
    cache.clear()
    data = {"action": "remove_second_factors", "_selected_action": str(alice.pk)}
    assert sign_in(cast.sam).post("/admin/accounts/user/", data).status_code == 302
    assert not has_second_factor(alice)
    assert not is_in(theirs)
    event = Event.objects.get(action="account.second_factor_removed_by_staff")
    assert (event.actor_id, event.target_id) == (cast.sam.pk, alice.pk)


@pytest.mark.django_db
def test_nobody_sees_seeds_in_the_admin(alice, secret, cast, sign_in):
    factor = Authenticator.objects.get(user=alice, type="totp")
    page = sign_in(cast.sam).get(f"/admin/mfa/authenticator/{factor.pk}/change/").content.decode()
    assert "gcm:" not in page
    assert secret not in page
