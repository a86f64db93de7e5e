"""How people sign up and sign in: e-mail and password, other companies' accounts, second factors, sessions. The names
of the environment's variables stand in docs/operations-guide.md."""

from __future__ import annotations

from typing import Any

from environs import Env

environment = Env()

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "apps.accounts.validators.MixedCharactersValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "apps.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# Whoever signs up is let in at once, and is locked out when the address is not confirmed in time (User.verify_by).
ACCOUNT_EMAIL_VERIFICATION = "optional"
VERIFICATION_HOURS = 4
ACCOUNT_MAX_EMAIL_ADDRESSES = 5
# All sessions end with the old password: who knew it knows nothing any more.
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True

SOCIALACCOUNT_ADAPTER = "apps.accounts.provider_adapter.ProviderAccountAdapter"
# An account belongs to the provider's own name of the person (its subject); an e-mail address alone joins nothing.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10

MFA_ADAPTER = "apps.accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODE_COUNT = 8
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "OEC.SH"
# A telephone's clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1

# allauth would write a row at every request; apps.accounts.middleware does it every few minutes.
USERSESSIONS_TRACK_ACTIVITY = False
SESSION_SEEN_EVERY_SECONDS = 300


def _application(prefix: str, **settings: Any) -> dict[str, Any] | None:
    """The application registered with a company: `{prefix}_CLIENT_ID` and `{prefix}_CLIENT_SECRET`, or nothing."""
    client_id = environment.str(f"{prefix}_CLIENT_ID", "")
    if not client_id:
        return None
    secret = environment.str(f"{prefix}_CLIENT_SECRET")
    return {"client_id": client_id, "secret": secret, "settings": settings}


def _openid_connect() -> dict[str, Any] | None:
    application = _application(
        "OIDC", server_url=environment.str("OIDC_SERVER_URL", ""), uid_field=environment.str("OIDC_SUBJECT", "sub")
    )
    if application is None:
        return None
    name = environment.str("OIDC_NAME", "Single sign-on")
    return application | {"provider_id": environment.str("OIDC_ID", "company"), "name": name}


def _providers() -> dict[str, dict[str, Any]]:
    """Only those that are configured are offered."""
    tenant = environment.str("MICROSOFT_TENANT", "common")
    gitlab_url = environment.str("GITLAB_URL", "https://gitlab.com").rstrip("/")
    applications = {
        "github": _application("GITHUB"),
        "gitlab": _application("GITLAB", gitlab_url=gitlab_url),
        "google": _application("GOOGLE"),
        # The administrators of one tenant vouch for its addresses; where all tenants are let in, nobody does.
        "microsoft": _application(
            "MICROSOFT", tenant=tenant, verified_email=tenant not in ("common", "organizations", "consumers")
        ),
        "openid_connect": _openid_connect(),
    }
    return {
        name: {"APPS": [application], "OAUTH_PKCE_ENABLED": True}
        for name, application in applications.items()
        if application
    }


SOCIALACCOUNT_PROVIDERS = _providers()
