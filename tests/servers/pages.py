"""Addresses of the pages of servers, and what their forms send."""

from __future__ import annotations

from django.urls import reverse

from apps.servers import keys
from apps.servers.models import Server

HOST_KEY = keys.generate().public_key
ADD = {
    "name": "Shop",
    "address": "192.0.2.7",
    "port": "2222",
    "user": "root",
    "key_source": "generate",
    "http_port": "80",
    "https_port": "443",
    "network_range": "10.96.0.0/16",
    "cpu_overcommit": "1",
}
"""What the form for a new server sends."""


def address(name: str, organization: str = "acme", server: str = "web") -> str:
    return reverse(f"servers:{name}", args=[organization] if name in ("list", "add") else [organization, server])


def settings_of(server: Server) -> dict[str, str]:
    names = ("name", "address", "port", "user", "http_port", "https_port", "network_range", "cpu_overcommit")
    return {name: str(getattr(server, name)) for name in names} | {
        "ssh_key": str(server.ssh_key_id),
        "public_address": server.public_address,
    }
