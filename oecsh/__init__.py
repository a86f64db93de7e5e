"""The OEC.SH project: settings, entry points and the embedded control plane."""

from __future__ import annotations

from oecsh.celery import application as celery_application

__all__ = ["celery_application"]
