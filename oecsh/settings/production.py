"""Production: refuses to start without its own secrets."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from .base import *  # noqa: F403
from .base import IS_HTTPS, KEY_RING, KEY_RING_FILE, SECRET_KEY, environment

if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("Set SECRET_KEY to a random text of at least 50 characters.")
if not KEY_RING and not KEY_RING_FILE.exists():
    raise ImproperlyConfigured("Set KEY_RING or KEY_RING_FILE: without it no stored secret can be read.")

if IS_HTTPS:
    SECURE_HSTS_SECONDS = environment.int("HSTS_SECONDS", 31_536_000)
