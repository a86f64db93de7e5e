"""News for the layers above."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `user_ids` and `organization_id` (None: everywhere) after the commit, when the cached rights are dropped
# already: open websockets and event streams look again whether they may stay.
rights_changed = Signal()
# Sent with `invitation` and `user`, in the transaction that made the user a member: whoever knows projects puts the
# person on those that the invitation names.
invitation_accepted = Signal()
# Sent with `organization`; a receiver returns the names of what must be destroyed before it may be deleted.
organization_in_use = Signal()
# Sent with `organization`, `resource` (a name), `used` and `total` (texts with their units), in the transaction with
# which 80 percent are passed.
quota_warning = Signal()
# Sent with `organization` and `problem` (a Conflict), after the transaction that wanted too much was rolled back.
quota_exceeded = Signal()
