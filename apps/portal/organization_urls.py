"""Addresses of an organization's settings that know more than the organization: projects, environments, servers."""

from __future__ import annotations

from django.urls import path

from apps.portal.views import invitations, quotas
from apps.portal.views import organization_settings as settings

_SETTINGS = "o/<slug:organization>/settings/"
organization_pages = [
    path(_SETTINGS, settings.organization_settings, name="organization_settings"),
    path(f"{_SETTINGS}logo/", settings.logo, name="organization_logo"),
    path(f"{_SETTINGS}ownership/", settings.ownership, name="organization_ownership"),
    path(f"{_SETTINGS}delete/", settings.deletion, name="organization_delete"),
    path(f"{_SETTINGS}keep/", settings.keep, name="organization_keep"),
    path(f"{_SETTINGS}invitations/", invitations.invitation_list, name="invitations"),
    path(f"{_SETTINGS}invitations/clean-up/", invitations.clean_up, name="invitations_clean_up"),
    path(f"{_SETTINGS}invitations/<uuid:invitation_id>/resend/", invitations.resend, name="invitation_resend"),
    path(f"{_SETTINGS}invitations/<uuid:invitation_id>/revoke/", invitations.revoke, name="invitation_revoke"),
    path(f"{_SETTINGS}quotas/", quotas.quotas, name="quotas"),
    path(f"{_SETTINGS}quotas/ask/", quotas.ask, name="quota_ask"),
    path(f"{_SETTINGS}quotas/<uuid:request_id>/withdraw/", quotas.withdraw, name="quota_withdraw"),
]
