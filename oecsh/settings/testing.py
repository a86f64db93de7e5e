"""Tests: real PostgreSQL and Valkey (embedded unless DATABASE_URL and REDIS_URL are set), fast password hashing."""

from __future__ import annotations

import os
from pathlib import Path

from oecsh.embedded.testing import ensure_services

# Before anything reads them, and in the environment, so that the workers that tests start find the same ones.
TESTING_DIRECTORY = Path(__file__).resolve().parent.parent.parent / ".run" / "testing"
os.environ.setdefault("RUN_DIRECTORY", str(TESTING_DIRECTORY))
os.environ.update(ensure_services(TESTING_DIRECTORY))

from .base import *  # noqa: E402, F403
from .base import DATABASES, INSTALLED_APPS, STORAGES  # noqa: E402

SECRET_KEY = "only-for-tests-" * 4
ALLOWED_HOSTS = ["*"]
KEY_RING = "test:" + "A" * 43 + "="
DATABASES["default"]["TEST"] = {"NAME": f"test_oecsh_{os.getpid()}"}
DATABASES["default"]["CONN_MAX_AGE"] = 0
# Whose `flush` empties the tables after tests that commit.
INSTALLED_APPS = [*INSTALLED_APPS, "tests.database"]
# Between tests every table is emptied, the audit trail too, which refuses it everywhere else.
DATABASES["default"]["OPTIONS"]["options"] = "-c oecsh.audit_may_truncate=on"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
ALLOWED_PRIVATE_NETWORKS = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
