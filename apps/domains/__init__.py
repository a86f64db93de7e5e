"""Base domains, DNS providers, certificates (the ACME client) and proxy routes."""
