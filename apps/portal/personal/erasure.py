"""A person is forgotten: what is theirs is deleted, and what organizations keep points at somebody without a name."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from apps.accounts import sessions
from apps.accounts.models import User
from apps.audit import services as audit
from apps.audit.retention import erase_person
from apps.core.exceptions import Problem
from apps.orgs import members
from apps.orgs.models import Invitation, Membership
from apps.orgs.roles import Role
from apps.portal.personal.relations import relations

NAME = "Erased person"


def owned_names(user: User) -> list[str]:
    """The organizations whose Owner the person is, by name: each has one only, so they stand in the way."""
    owned = Membership.objects.filter(user=user, role=Role.OWNER)
    return list(owned.order_by("organization__name").values_list("organization__name", flat=True))


def erase(*, user: User, confirmation: str, request: HttpRequest | None = None) -> None:
    """Erases the person for ever. `confirmation` is their e-mail address, typed.

    Raises Problem `personal.confirmation_differs`, `personal.owns_organizations` (with their names),
    `personal.last_administrator`.
    """
    with transaction.atomic():
        user = _locked(user)
        _ensure_may_go(user, confirmation)
        audit.record(action="account.erased", actor=user, target=user, request=request)
        proven, claimed = proven_addresses(user), {user.email, *_addresses(user)}
        for membership in Membership.objects.filter(user=user).select_related("organization"):
            members.leave(organization=membership.organization, user=user)
        sessions.end_all(user, actor=user, request=request)
        Invitation.objects.filter(email__in=proven).delete()
        for relation in relations():
            if relation.is_own:
                relation.model._base_manager.filter(**{relation.field: user}).delete()
        name = user.display_name
        _forget(user)
        erase_person(person_id=user.pk, addresses=proven, unproven=claimed - proven, name=name)


def _locked(user: User) -> User:
    """The row is held; a superuser's with those of all superusers, in one order, so that of two who go at once the
    second finds out that nobody else is left."""
    condition = Q(pk=user.pk)
    if User.objects.filter(pk=user.pk, is_superuser=True).exists():
        condition |= Q(is_superuser=True)
    rows = User.objects.select_for_update().filter(condition).order_by("pk")
    return next(row for row in rows if row.pk == user.pk)


def _ensure_may_go(user: User, confirmation: str) -> None:
    if confirmation.strip().lower() != user.email:
        raise Problem("personal.confirmation_differs", expected=user.email)
    names = owned_names(user)
    if names:
        raise Problem("personal.owns_organizations", names=", ".join(names))
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        raise Problem("personal.last_administrator")


def _addresses(user: User) -> set[str]:
    return set(EmailAddress.objects.filter(user=user).values_list("email", flat=True))


def proven_addresses(user: User) -> set[str]:
    """The addresses that are shown to be the person's: those confirmed, and the one that staff vouched for when they
    made the account. Anybody may claim any other, so nothing of somebody else's is touched for it."""
    rows = EmailAddress.objects.filter(user=user)
    proven = {address.lower() for address in rows.filter(verified=True).values_list("email", flat=True)}
    # Where nothing was ever confirmed, an address that was added can be made the one to sign in with.
    is_claimed = rows.filter(email__iexact=user.email, primary=True, verified=False).exists()
    return proven if user.verify_by is not None or is_claimed else proven | {user.email}


def _forget(user: User) -> None:
    user.email = f"{user.pk}@erased.invalid"
    user.display_name, user.avatar_version = NAME, ""
    user.time_zone, user.theme = "UTC", User.Theme.SYSTEM
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = user.verify_by = None
    user.set_unusable_password()
    user.save()
