"""Releases, deployments, seeds, and what was read of images and sources."""

from __future__ import annotations

from apps.deployments.models.deployment import Deployment, DeploymentStatus, Trigger
from apps.deployments.models.facts import ImageFacts, Seed, SourceSnapshot
from apps.deployments.models.release import Release

__all__ = ["Deployment", "DeploymentStatus", "ImageFacts", "Release", "Seed", "SourceSnapshot", "Trigger"]
