"""Signing in by another company's account: who is let in, and who is asked for something else first."""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import redirect

from apps.accounts import verification
from apps.accounts.models import User
from apps.core.masking import mask

LONGEST_NAME = 100
# Of this company's tenants nobody vouches for addresses: their owner confirms by mail, like anybody who signs up.
CONFIRMED_BY_MAIL = {"microsoft"}


class ProviderAccountAdapter(DefaultSocialAccountAdapter):
    """An account is known by the provider's subject alone. Somebody new must bring an address that the provider has
    verified and that nobody here has: a taken one joins nothing, its owner signs in and connects the account."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        _refuse_two_subjects(sociallogin)
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            if verification.is_waiting(request.user):
                _refuse(request, "Confirm your e-mail address first.", back_to="accounts:security")
            return
        if sociallogin.is_existing:
            return
        name = sociallogin.provider.name
        # One address, the main one: others that the provider knows would be taken away from whoever uses them here.
        del sociallogin.email_addresses[1:]
        address = next(iter(sociallogin.email_addresses), None)
        if address is None:
            _refuse(request, f"{name} did not tell your e-mail address. Allow it there, or sign up with a password.")
        address.verified = _is_verified(sociallogin, address)
        if not address.verified and sociallogin.provider.id not in CONFIRMED_BY_MAIL:
            _refuse(request, f"{name} has not verified your e-mail address. Verify it there, then come back.")
        if is_taken(address.email):
            _refuse(
                request,
                f"There is an account with {address.email} already. Sign in to it, then connect {name} under Account, "
                "Security.",
            )

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user = super().populate_user(request, sociallogin, data)
        name = data.get("name") or f"{data.get('first_name') or ''} {data.get('last_name') or ''}"
        user.display_name = " ".join(mask(str(name)).split())[:LONGEST_NAME]
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        if not sociallogin.email_addresses[0].verified:
            verification.start_waiting(sociallogin.user)
        return super().save_user(request, sociallogin, form)


def is_taken(address: str) -> bool:
    """True when somebody signs in with this address, or has confirmed it as theirs."""
    address = address.lower()
    if User.objects.filter(email=address).exists():
        return True
    return EmailAddress.objects.filter(email=address, verified=True).exists()


def _is_verified(sociallogin: SocialLogin, address: EmailAddress) -> bool:
    data = sociallogin.account.extra_data
    # GitLab says when the main address was confirmed, where others say whether.
    if sociallogin.provider.id == "gitlab":
        return bool(data.get("confirmed_at")) and data.get("email") == address.email
    # Some providers write the word, and the word "false" is not nothing.
    return address.verified is True or str(address.verified).lower() == "true"


def _refuse_two_subjects(sociallogin: SocialLogin) -> None:
    """What was read with the access token must be about the person of the ID token (OpenID Connect Core 5.3.2)."""
    data = sociallogin.account.extra_data
    userinfo, id_token = data.get("userinfo"), data.get("id_token")
    if userinfo and id_token and userinfo.get("sub") != id_token.get("sub"):
        raise PermissionDenied("The provider spoke of two people.")


def _refuse(request: HttpRequest, text: str, back_to: str = "account_login") -> NoReturn:
    messages.error(request, text)
    raise ImmediateHttpResponse(redirect(back_to))
