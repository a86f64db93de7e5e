"""Organizations, who belongs to them, and what they may."""

from apps.orgs.models.organization import Membership, Organization
from apps.orgs.models.support import SupportAccess, ViewAs

__all__ = ["Membership", "Organization", "SupportAccess", "ViewAs"]
