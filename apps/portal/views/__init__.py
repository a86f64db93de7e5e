"""Pages that are not about one kind of thing: home, search, operations of all kinds, the person's account."""

from __future__ import annotations

from apps.portal.views.account import account, theme
from apps.portal.views.activity import activity, running
from apps.portal.views.audit import audit, audit_export
from apps.portal.views.home import home, organization, organization_create
from apps.portal.views.operation import operation
from apps.portal.views.search import search
from apps.portal.views.support import support_access, support_end, support_grant, support_refuse, view_as_end

__all__ = [
    "account",
    "activity",
    "audit",
    "audit_export",
    "home",
    "operation",
    "organization",
    "organization_create",
    "running",
    "search",
    "support_access",
    "support_end",
    "support_grant",
    "support_refuse",
    "theme",
    "view_as_end",
]
