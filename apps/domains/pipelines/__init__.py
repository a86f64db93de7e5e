"""The pipelines of this app, registered by being imported."""

from __future__ import annotations

from apps.domains.pipelines import issue_certificate, update_route

__all__ = ["issue_certificate", "update_route"]
