"""Pipelines of deployments, one file each."""
