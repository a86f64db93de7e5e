"""News for the layers above, which this one does not know."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `project`; a receiver returns the names of what still uses it, and the project is kept.
project_in_use = Signal()
# Sent with `project`, in the transaction that deletes it, so that rows which protect it can go first.
project_deleting = Signal()
# Sent with `project` and `reason` when what its environments are made of was changed.
source_changed = Signal()
