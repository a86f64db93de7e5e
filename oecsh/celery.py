"""The Celery application. Celery only rings the bell: what there is to do stands in the database."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oecsh.settings.production")

application = Celery("oecsh")
application.config_from_object("django.conf:settings", namespace="CELERY")
application.autodiscover_tasks()
