"""Pages of servers: the list, a new one, one server, and what is done with it."""

from __future__ import annotations

from apps.servers.views.actions import connection_test, give_up, host_key, host_key_confirm, prepare, remove, sync
from apps.servers.views.pages import server_add, server_detail, server_list, server_settings

__all__ = [
    "connection_test",
    "give_up",
    "host_key",
    "host_key_confirm",
    "prepare",
    "remove",
    "server_add",
    "server_detail",
    "server_list",
    "server_settings",
    "sync",
]
