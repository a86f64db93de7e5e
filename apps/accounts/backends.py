"""Who may be signed in: active people who have confirmed their address, or still have time to."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend


class PersonBackend(AuthenticationBackend):
    """Signs in by e-mail address and password. Asked again at every request and by every open websocket: a locked
    person's sessions are nobody's."""

    def user_can_authenticate(self, user: Any) -> bool:
        return super().user_can_authenticate(user) and not user.is_locked
