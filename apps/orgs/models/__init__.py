"""Organizations, who belongs to them, and what they may."""

from apps.orgs.models.invitations import Invitation, InvitationUse
from apps.orgs.models.organization import FormerSlug, Membership, Organization, OrganizationLogo
from apps.orgs.models.quotas import Quota, QuotaRequest, UsageSample
from apps.orgs.models.support import SupportAccess, ViewAs

__all__ = [
    "FormerSlug",
    "Invitation",
    "InvitationUse",
    "Membership",
    "Organization",
    "OrganizationLogo",
    "Quota",
    "QuotaRequest",
    "SupportAccess",
    "UsageSample",
    "ViewAs",
]
