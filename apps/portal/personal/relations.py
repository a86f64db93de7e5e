"""Every table that points at a person, and what becomes of its rows. A new one is in none of these sets until somebody
has decided; a test holds that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import models

from apps.accounts.models import User

# The person's own: gone with the person.
OWN = {
    "account.EmailAddress",
    "accounts.Avatar",
    "accounts.User_groups",
    "accounts.User_user_permissions",
    "api.ApiKey",
    "guardian.UserObjectPermission",
    "mfa.Authenticator",
    "notifications.Mail",
    "notifications.Notice",
    "notifications.Preference",
    "orgs.CustomRoleAssignment",
    "orgs.Membership",
    "orgs.PermissionOverride",
    "socialaccount.SocialAccount",
    "usersessions.UserSession",
}
# What organizations keep about what happened in them: it points at somebody without a name.
KEPT = {"admin.LogEntry", "orgs.InvitationReader", "orgs.InvitationUse", "orgs.SupportAccess", "orgs.ViewAs"}


@dataclass(frozen=True)
class Relation:
    """One foreign key to a person."""

    model: type[models.Model]
    field: str
    is_own: bool

    @property
    def label(self) -> str:
        return self.model._meta.label


def relations() -> Iterator[Relation]:
    """All foreign keys to a person, those without a way back too. Rows that would be deleted with the person and are
    not kept are the person's own."""
    for found in User._meta.get_fields(include_hidden=True):
        if found.auto_created and not found.concrete and (found.one_to_many or found.one_to_one):
            deleted_with = found.on_delete is models.CASCADE
            label = found.related_model._meta.label
            yield Relation(found.related_model, found.field.name, deleted_with and label not in KEPT)
