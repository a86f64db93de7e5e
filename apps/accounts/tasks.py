"""What is done for people without their asking."""

from __future__ import annotations

from importlib import import_module

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef


@shared_task(name="accounts.forget_old_sessions")
def forget_old_sessions() -> int:
    """Deletes sessions that are over, and where they were used from; returns how many of the latter."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    deleted, _ = UserSession.objects.filter(~Exists(alive)).delete()
    return deleted
