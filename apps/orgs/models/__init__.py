"""Organizations, who belongs to them, and what they may."""

from apps.orgs.models.invitations import Invitation, InvitationReader, InvitationUse
from apps.orgs.models.organization import FormerSlug, Membership, Organization, OrganizationLogo
from apps.orgs.models.quotas import Quota, QuotaRequest, UsageSample
from apps.orgs.models.rights import (
    Colour,
    CustomRole,
    CustomRoleAssignment,
    PermissionOverride,
    Team,
)
from apps.orgs.models.support import SupportAccess, ViewAs

__all__ = [
    "Colour",
    "CustomRole",
    "CustomRoleAssignment",
    "FormerSlug",
    "Invitation",
    "InvitationReader",
    "InvitationUse",
    "Membership",
    "Organization",
    "OrganizationLogo",
    "PermissionOverride",
    "Quota",
    "QuotaRequest",
    "SupportAccess",
    "Team",
    "UsageSample",
    "ViewAs",
]
