"""The sessions in which a person is signed in: where from, by what, and the ending of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core import clock

LONGEST_AGENT = 200
# The first that fits names it: every browser claims to be several others.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class SessionRow:
    """A session as its page shows it."""

    session: UserSession
    device: str
    is_current: bool


def device_of(user_agent: str) -> str:
    """A browser's description of itself in two words: `Firefox on Windows`."""
    browser = next((name for sign, name in BROWSERS if re.search(rf"{sign}\w*/", user_agent)), "")
    system = next((name for sign, name in SYSTEMS if sign in user_agent), "")
    return " on ".join(word for word in (browser, system) if word) or "Unknown browser"


def saw(request: HttpRequest) -> None:
    """The person's session was used just now. Makes the row where sign-in made none (a session of an older version)."""
    values = {
        "user": request.user,
        "ip": get_adapter().get_client_ip(request),
        "user_agent": request.headers.get("User-Agent", "")[:LONGEST_AGENT],
        "last_seen_at": clock.now(),
    }
    UserSession.objects.update_or_create(session_key=request.session.session_key, defaults=values)


def sessions_of(user: User, current_key: str | None) -> list[SessionRow]:
    """Those in which the person is signed in, the current one first, then the latest; rows of others are dropped."""
    alive = UserSession.objects.purge_and_list(user)
    rows = [SessionRow(one, device_of(one.user_agent), one.session_key == current_key) for one in alive]
    return sorted(rows, key=lambda row: (not row.is_current, -row.session.last_seen_at.timestamp()))


def end(session: UserSession, *, actor: User, request: HttpRequest | None = None) -> None:
    """Ends one session; its browser is nobody's at its next request."""
    import_module(settings.SESSION_ENGINE).SessionStore().delete(session.session_key)
    session.delete()
    after = {"device": device_of(session.user_agent), "address": session.ip}
    audit.record(action="account.session_ended", actor=actor, target=session.user, after=after, request=request)


def end_all(user: User, *, actor: User, but: str | None = None, request: HttpRequest | None = None) -> int:
    """Ends every session of the person besides the one with the key `but`; returns how many."""
    ended = 0
    for session in UserSession.objects.filter(user=user).exclude(session_key=but or "").select_related("user"):
        end(session, actor=actor, request=request)
        ended += 1
    return ended
