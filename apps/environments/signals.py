"""News for the layers above, which this one does not know."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `environment`, `actor` and `trigger`, inside the transaction that asks for it. The receiver queues a
# deployment and returns it; what it raises goes to the person who asked.
deployment_wanted = Signal()
# Sent with `environment`, `host` (open) and `run` by a step of destroying, before the containers are touched: routes
# go first. It may come twice.
environment_leaving = Signal()
# Sent with `environment` and `actor`, inside the transaction that makes it.
environment_created = Signal()
# Sent with `environment`, inside the transaction that stores the change.
environment_deleted = Signal()
# Sent with `environment` and `before` (a status), inside the transaction that stores the change.
status_changed = Signal()
