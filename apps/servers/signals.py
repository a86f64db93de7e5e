"""What apps above are told of, and asked about."""

from __future__ import annotations

from django.dispatch import Signal

removal_requested = Signal()
"""Sent before a server is removed, with `server`. A receiver that knows of something placed there returns a text such
as "3 environments are placed on it"; None is no objection."""

work_asked_for = Signal()
"""Sent before the way to a server changes, with `server`. A receiver that knows of operations which use the server now
returns a text such as "Deploy Shop is under way"; None is no objection."""

server_given_up = Signal()
"""Sent in the transaction in which a person says that a server is gone for good, with `server` and `actor`. Receivers
give up what was placed there, without connecting, and return the names of it; what they raise stops all of it."""

server_forgotten = Signal()
"""Sent in the transaction that deletes the row of a server, before it, with `server`: of what was placed there only
history is left."""

status_changed = Signal()
"""Sent in the transaction that changes the status of a server, with `server` and `before`."""
