"""A company to sign in by, and limits that no test inherits from another."""

from __future__ import annotations

import pytest
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.google import views as google_views
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from django.core.cache import cache

from tests.accounts.company import CLIENT_ID, SECRET, Company


@pytest.fixture(autouse=True)
def fresh_limits():
    """Attempts are counted in the cache, by the address that all tests come from."""
    cache.clear()


@pytest.fixture
def company(settings, monkeypatch):
    """All five ways lead to one company on a socket."""
    company = Company()
    application = {"client_id": CLIENT_ID, "secret": SECRET}
    ways = {
        "openid_connect": {"provider_id": "company", "name": "Company", "settings": {"server_url": company.url}},
        "gitlab": {"settings": {"gitlab_url": company.url}},
        "microsoft": {"settings": {"login_url": company.url, "graph_url": company.url, "tenant": "common"}},
        "github": {"settings": {}},
        "google": {"settings": {}},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {
        name: {"APPS": [application | way], "OAUTH_PKCE_ENABLED": True} for name, way in ways.items()
    }
    # The addresses of these two companies are fixed in the library.
    places = {"authorize_url": "authorize", "access_token_url": "token", "profile_url": "user"}
    for name, path in places.items():
        monkeypatch.setattr(GitHubOAuth2Adapter, name, f"{company.url}/{path}")
    monkeypatch.setattr(GitHubOAuth2Adapter, "emails_url", f"{company.url}/user/emails")
    for name, path in (places | {"identity_url": "userinfo"}).items():
        if name != "profile_url":
            monkeypatch.setattr(GoogleOAuth2Adapter, name, f"{company.url}/{path}")
    monkeypatch.setattr(google_views, "ID_TOKEN_ISSUER", company.url)
    yield company
    company.close()
