"""Sessions in the database, with Redis in front of it."""

from __future__ import annotations

from typing import Any

import redis
from django.contrib.sessions.backends import cached_db, db


class SessionStore(cached_db.SessionStore):
    """Django's own besides one thing: people stay signed in while Redis is gone. Ending a session insists on Redis,
    which would bring an ended one back to life."""

    def load(self) -> dict[str, Any]:
        try:
            return super().load()
        except redis.RedisError:
            return db.SessionStore.load(self)
