"""Tests: real PostgreSQL and Redis (embedded unless DATABASE_URL and REDIS_URL are set), fast password hashing."""

from __future__ import annotations

from .base import *  # noqa: F403
from .base import STORAGES

SECRET_KEY = "only-for-tests-" * 4  # noqa: S105
ALLOWED_HOSTS = ["*"]
KEY_RING = "test:" + "A" * 43 + "="
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
ALLOWED_PRIVATE_NETWORKS = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
