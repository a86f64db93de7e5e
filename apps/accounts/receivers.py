"""Everything that happens to a person's sign-in is in the audit trail; and what follows from it."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account_signals
from allauth.mfa import signals as factor_signals
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as provider_signals
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from apps.accounts import second_factor, verification
from apps.accounts.models import User
from apps.audit import services as audit
from apps.core.signals import reencrypting

LONGEST_ADDRESS = 254
HANDED_OVER = (
    "You confirmed the address in a browser that was not signed in, so we cannot tell whether it was you who signed up "
    "with it. Whoever did is signed out, and their password is void: set a new one."
)


def _record(action: str, user: Any, request: HttpRequest | None, **after: Any) -> None:
    audit.record(action=action, actor=user, target=user, after=after, request=request)


def record_failed_sign_in(request: HttpRequest, address: str) -> None:
    """A password that was wrong: on the person's own trail where there is one with that address."""
    user = User.objects.filter(email=address.lower()).first()
    after = {"email": address[:LONGEST_ADDRESS]}
    audit.record(action="account.sign_in_failed", target=user, after=after, request=request)


@receiver(user_logged_in)
def signed_in(request: HttpRequest | None, user: User, **details: Any) -> None:
    """Django's own signal: it comes whichever way the person signed in."""
    _record("account.signed_in", user, request)


@receiver(user_logged_out)
def signed_out(request: HttpRequest | None, user: User | None, **details: Any) -> None:
    if user is None or request is None:
        return
    UserSession.objects.filter(session_key=request.session.session_key or "").delete()
    _record("account.signed_out", user, request)


@receiver(account_signals.user_signed_up)
def signed_up(request: HttpRequest, user: User, **details: Any) -> None:
    login = details.get("sociallogin")
    _record("account.created", user, request, by=login.account.provider if login else "e-mail")


@receiver(account_signals.email_confirmed)
def address_confirmed(request: HttpRequest, email_address: Any, **details: Any) -> None:
    """Whoever opens the link where nobody is signed in to the account may be another than the one who made it."""
    user = User.objects.get(pk=email_address.user_id)
    if verification.confirmed(user, email_address.email) and request.user.pk != user.pk:
        verification.hand_over(user, request)
        messages.warning(request, HANDED_OVER)
    _record("account.email_confirmed", user, request, email=email_address.email)


@receiver(account_signals.email_changed)
def address_changed(request: HttpRequest, user: User, to_email_address: Any, **details: Any) -> None:
    if to_email_address.verified:
        verification.confirmed(User.objects.get(pk=user.pk), to_email_address.email)
    before = details.get("from_email_address")
    names = {"before": before.email if before else "", "email": to_email_address.email}
    _record("account.email_changed", user, request, **names)


@receiver(account_signals.email_added)
def address_added(request: HttpRequest, user: User, email_address: Any, **details: Any) -> None:
    _record("account.email_added", user, request, email=email_address.email)


@receiver(account_signals.email_removed)
def address_removed(request: HttpRequest, user: User, email_address: Any, **details: Any) -> None:
    _record("account.email_removed", user, request, email=email_address.email)


@receiver([account_signals.password_changed, account_signals.password_set, account_signals.password_reset])
def password_changed(request: HttpRequest, user: User, **details: Any) -> None:
    """Sessions opened with the old password are over by themselves (their hash is of it); their rows go with them."""
    UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key or "").delete()
    _record("account.password_changed", user, request)


@receiver(account_signals.password_reset)
def password_was_reset(request: HttpRequest, user: User, **details: Any) -> None:
    """By a link to an address that was not confirmed yet: what was connected before may be somebody else's."""
    if user.verify_by is not None:
        verification.forget_other_ways(user)


@receiver(factor_signals.authenticator_added)
def factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **details: Any) -> None:
    _record("account.second_factor_added", user, request, kind=authenticator.type)


@receiver(factor_signals.authenticator_removed)
def factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **details: Any) -> None:
    _record("account.second_factor_removed", user, request, kind=authenticator.type)


@receiver(factor_signals.authenticator_reset)
def factor_reset(request: HttpRequest, user: User, authenticator: Authenticator, **details: Any) -> None:
    _record("account.second_factor_reset", user, request, kind=authenticator.type)


@receiver(factor_signals.authentication_failed)
def factor_failed(request: HttpRequest, user: User | None, **details: Any) -> None:
    audit.record(action="account.second_factor_failed", target=user, request=request)


@receiver(provider_signals.social_account_added)
def provider_added(request: HttpRequest, sociallogin: Any, **details: Any) -> None:
    _record("account.provider_connected", sociallogin.user, request, provider=sociallogin.account.provider)


@receiver(provider_signals.social_account_removed)
def provider_removed(request: HttpRequest, socialaccount: Any, **details: Any) -> None:
    _record("account.provider_disconnected", socialaccount.user, request, provider=socialaccount.provider)


@receiver(reencrypting, dispatch_uid="accounts.reencrypt_seeds")
def seeds_reencrypted(**details: Any) -> tuple[str, int, list[str]]:
    return second_factor.reencrypt_seeds()
