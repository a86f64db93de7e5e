"""Pages about a person's own sign-in."""

from apps.accounts.views.avatar import avatar
from apps.accounts.views.security import second_factor, security
from apps.accounts.views.sessions import end_other_sessions, end_session, sessions
from apps.accounts.views.verification import verify

__all__ = ["avatar", "end_other_sessions", "end_session", "second_factor", "security", "sessions", "verify"]
