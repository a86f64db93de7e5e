"""The ways to sign in, on one page."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe


@require_safe
@login_required
def security(request: HttpRequest) -> HttpResponse:
    """Password, second factors, backup codes, connected accounts."""
    factors = list(Authenticator.objects.filter(user=request.user).order_by("created_at"))
    kinds = Authenticator.Type
    backup = next((one.wrap() for one in factors if one.type == kinds.RECOVERY_CODES), None)
    connected = list(SocialAccount.objects.filter(user=request.user).order_by("date_joined"))
    providers = get_adapter().list_providers(request)
    names = {provider.sub_id: provider.name for provider in providers}
    taken = {account.provider for account in connected}
    context = {
        "totp": next((one for one in factors if one.type == kinds.TOTP), None),
        "passkeys": [one for one in factors if one.type == kinds.WEBAUTHN],
        "codes_left": len(backup.get_unused_codes()) if backup else None,
        "connected": [(account, names.get(account.provider, account.provider)) for account in connected],
        "offered": [provider for provider in providers if provider.sub_id not in taken],
    }
    return render(request, "account/security.html", context)


@require_safe
@login_required
def second_factor(request: HttpRequest) -> HttpResponse:
    """Where allauth goes back to after its own pages."""
    return redirect("accounts:security")
