"""The time in which a new person confirms the e-mail address (features ACC-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.http import HttpRequest

from apps.accounts import sessions
from apps.accounts.models import User
from apps.core import clock


def start_waiting(user: User) -> None:
    """The person has VERIFICATION_HOURS from now on; saved with the new person by the caller."""
    user.verify_by = clock.now() + timedelta(hours=settings.VERIFICATION_HOURS)


def is_waiting(user: Any) -> bool:
    """True for somebody signed in whose address is not confirmed yet."""
    return user.is_authenticated and user.verify_by is not None


def confirmed(user: User, address: str) -> bool:
    """Ends the waiting (and the lock) when the confirmed address is the one that the person signs in with; True when
    it did. Another one that was added proves nothing about the first."""
    if user.email.lower() != address.lower() or user.verify_by is None:
        return False
    User.objects.filter(pk=user.pk).update(verify_by=None)
    user.verify_by = None
    return True


def hand_over(user: User, request: HttpRequest | None) -> None:
    """The owner of the address takes over an account that somebody else may have made with it: no password, session,
    factor or connected account of before lets anybody in."""
    user.set_unusable_password()
    user.save(update_fields=["password", "updated_at"])
    sessions.end_all(user, actor=user, request=request)
    forget_other_ways(user)


def forget_other_ways(user: User) -> None:
    """Besides the password: what somebody connected before the address was shown to be theirs."""
    SocialAccount.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()


def send_again(request: HttpRequest, address: str) -> None:
    """Sends the link once more, at most once in three minutes for each address. Nothing is sent to an address that
    nobody waits to confirm, and the caller shows the same either way: who has an account is nobody's business."""
    waiting = EmailAddress.objects.filter(email=address.lower(), verified=False).select_related("user")
    for email_address in waiting.filter(user__is_active=True, primary=True):
        send_verification_email_to_address(request, email_address)
