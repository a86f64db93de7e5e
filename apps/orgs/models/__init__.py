"""Organizations, who belongs to them, and what they may."""

from apps.orgs.models.organization import Membership, Organization

__all__ = ["Membership", "Organization"]
