"""Releases, deployments, seeds and the sixteen steps."""
