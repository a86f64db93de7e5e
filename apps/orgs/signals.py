"""News for the layers above."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `user_ids` and `organization_id` (None: everywhere) after the commit, when the cached rights are dropped
# already: open websockets and event streams look again whether they may stay.
rights_changed = Signal()
