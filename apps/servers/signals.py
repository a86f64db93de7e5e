"""What apps above are told of, and asked about."""

from __future__ import annotations

from django.dispatch import Signal

removal_requested = Signal()
"""Sent before a server is removed, with `server`. A receiver that knows of something placed there returns a text such
as "3 environments are placed on it"; None is no objection."""

status_changed = Signal()
"""Sent in the transaction that changes the status of a server, with `server` and `before`."""
