"""Passkeys and codes in a real browser, with an authenticator that Chromium plays."""

from __future__ import annotations

import re
from collections.abc import Callable

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from tests.browser.conftest import in_thread
from tests.browser.scene import Scene
from tests.browser.watch import NARROW, WatchedPage
from tests.cast import PASSWORD

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def plug_in(page: Page) -> None:
    """The device has a fingerprint reader from now on, and the right finger is on it."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def confirm_address(user: User) -> None:
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)


def sign_in(page: Page, portal: str, user: User) -> None:
    page.goto(f"{portal}/account/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def confirm_password(page: Page) -> None:
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def check(watched: WatchedPage, name: str) -> None:
    watched.assert_fits()
    for theme in ("light", "dark"):
        watched.page.emulate_media(color_scheme=theme)
        watched.shoot(f"{name}-{theme}")
        watched.assert_accessible()


def test_a_passkey_is_made_and_signs_in_alone(scene: Scene, look: Callable[..., WatchedPage], portal: str) -> None:
    # Passkeys belong to a name, never to a number.
    portal = portal.replace("127.0.0.1", "localhost")
    alice = scene.cast.alice
    in_thread(lambda: confirm_address(alice))
    watched = look()
    page = watched.page
    plug_in(page)
    sign_in(page, portal, alice)
    page.goto(f"{portal}/account/2fa/webauthn/add/")
    check(watched, "reauthenticate-wide")
    confirm_password(page)
    check(watched, "passkey-add-wide")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="Backup codes")).to_be_visible()
    assert len(re.findall(r"^\d{8}$", page.locator("#secret").inner_text(), re.MULTILINE)) == 8
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator("main")).to_contain_text("8 of 8 are left")
    check(watched, "security-passkey-wide")

    page.goto(f"{portal}/account/logout/")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{portal}/account/login/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Acme", level=1)).to_be_visible()
    watched.assert_no_complaints()


def test_a_device_without_passkeys_says_so(scene: Scene, look: Callable[..., WatchedPage], portal: str) -> None:
    watched = look()
    page = watched.page
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR | {"isUserVerified": False}})
    page.goto(f"{portal.replace('127.0.0.1', 'localhost')}/account/login/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("cancelled")


def test_codes_from_an_app_on_a_phone(scene: Scene, look: Callable[..., WatchedPage], portal: str) -> None:
    bob = scene.cast.bob
    in_thread(lambda: confirm_address(bob))
    watched = look(size=NARROW)
    page = watched.page
    sign_in(page, portal, bob)
    page.goto(f"{portal}/account/2fa/totp/activate/")
    confirm_password(page)
    check(watched, "codes-narrow")
    secret = page.locator("code").inner_text()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    check(watched, "backup-codes-narrow")
    page.get_by_role("link", name="I have kept them").click()
    check(watched, "security-codes-narrow")
    page.goto(f"{portal}/account/logout/")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, portal, bob)
    check(watched, "second-factor-narrow")
    watched.assert_no_complaints()


def code_of(secret: str) -> str:
    """What an app shows now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
