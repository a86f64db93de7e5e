"""When a session was last seen; and what providers answer, however wrong."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import redis
from allauth.socialaccount.models import SocialApp
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts import sessions

logger = logging.getLogger(__name__)
PROVIDER_ROUTE = re.compile(r"^(github|gitlab|google|microsoft|openid_connect)_(login|callback|login_by_token)$")


def session_activity(get_response: Callable) -> Callable:
    """Notes the address, the browser and the time of a session, at most every SESSION_SEEN_EVERY_SECONDS."""

    def middleware(request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and request.user.is_authenticated and _is_due(key):
            sessions.saw(request)
        return get_response(request)

    return middleware


def _is_due(session_key: str) -> bool:
    with contextlib.suppress(redis.RedisError):
        return cache.add(f"session-seen:{session_key}", 1, settings.SESSION_SEEN_EVERY_SECONDS)
    return not UserSession.objects.filter(session_key=session_key).exists()


class ProviderAnswers:
    """The way to a provider and back. Leaving: the browser is led on by a page of ours, because the policy forbids
    forms that end elsewhere. Coming back: an answer that makes no sense is a page that says so, a provider that is not
    configured is not there."""

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        target = response.headers.get("Location", "")
        is_elsewhere = urlsplit(target).netloc not in ("", request.get_host())
        if request.method == "POST" and is_elsewhere and _is_provider(request):
            return render(request, "socialaccount/leave.html", {"target": target})
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not _is_provider(request):
            return None
        if isinstance(exception, SocialApp.DoesNotExist):
            return render(request, "404.html", status=404)
        if not isinstance(exception, KeyError | ValueError | TypeError | AttributeError | OSError):
            return None
        logger.warning("A provider gave an answer that cannot be used.", exc_info=exception)
        return render(request, "socialaccount/authentication_error.html", status=502)


def _is_provider(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and bool(PROVIDER_ROUTE.match(match.url_name or ""))


provider_answers = ProviderAnswers
