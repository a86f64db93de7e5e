"""Servers, their SSH keys, the one door to a host, and bootstrap."""
