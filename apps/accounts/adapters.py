"""How allauth does what is ours to decide about accounts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import EmailAddress
from allauth.core import context
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from apps.accounts import verification
from apps.accounts.models import User
from apps.accounts.receivers import LONGEST_ADDRESS, record_failed_sign_in


def portal_url(path: str) -> str:
    """A link for a mail. It is made of our own address, never of the Host that a request named."""
    return settings.PORTAL_URL.rstrip("/") + path


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up, sign-in, and the links in mails."""

    def clean_email(self, email: str) -> str:
        # Left to itself a longer one is cut off, and becomes somebody else's address.
        if len(email) > LONGEST_ADDRESS:
            raise ValidationError(f"An e-mail address has {LONGEST_ADDRESS} characters at most.")
        if verification.is_waiting(context.request.user):
            # What somebody adds to an account that is not shown to be theirs would stay when its owner takes it over.
            raise ValidationError("Confirm the address that you signed up with first.")
        return super().clean_email(email)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        verification.start_waiting(user)
        return super().save_user(request, user, form, commit)

    def pre_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse | None:
        response = super().pre_login(request, user, **details)
        if response is None and user.is_locked:
            clear_login(request)
            return redirect("accounts:verify")
        return response

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        super().authentication_failed(request, **credentials)
        record_failed_sign_in(request, str(credentials.get("email") or credentials.get("username") or ""))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return portal_url(reverse("account_confirm_email", args=[emailconfirmation.key]))

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        user = User.objects.get(pk=email_address.user_id)
        if not self.request.user.is_authenticated and not user.has_usable_password():
            return reverse("account_reset_password")  # nothing lets the person in; see receivers.address_confirmed
        return super().get_email_verification_redirect_url(email_address)

    def get_reset_password_from_key_url(self, key: str) -> str:
        uid, _, token = key.partition("-")
        return portal_url(reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token}))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        own = {"portal_host": urlsplit(settings.PORTAL_URL).netloc, "signup_url": portal_url("/account/signup/")}
        if not str(context.get("password_reset_url", "")).startswith(portal_url("/")):
            own["password_reset_url"] = portal_url(reverse("account_reset_password"))
        super().send_mail(template_prefix, email, context | own)
