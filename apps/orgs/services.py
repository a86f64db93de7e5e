"""Organizations and members: every write."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core.exceptions import Conflict, Problem
from apps.orgs.models import FormerSlug, Membership, Organization, Quota
from apps.orgs.roles import Role

SLUG_ATTEMPTS = 50
# Names that are part of addresses or that would mislead.
RESERVED_SLUGS = {"admin", "api", "account", "static", "ws", "o", "www", "oecsh", "support", "platform", "new"}


def lock_organization(organization: Organization) -> Organization:
    """The row as it is now, held until the transaction ends. Who changes people or promises things holds it, so that
    two at once see each other; rows that point to it may be written meanwhile."""
    return Organization.objects.select_for_update(no_key=True, of=["self"]).get(pk=organization.pk)


def lock_open(organization: Organization) -> Organization:
    """As `lock_organization`, for what makes something new. Raises Conflict `orgs.leaving` where it will be deleted."""
    found = lock_organization(organization)
    if found.is_leaving:
        raise Conflict("orgs.leaving", organization=found.name, day=f"{found.delete_after:%Y-%m-%d}")
    return found


def is_slug_free(slug: str, organization: Organization | None = None) -> bool:
    """False for a name that misleads, that is taken, or that another organization had: it leads there."""
    others = Organization.objects.exclude(pk=organization.pk if organization else None)
    former = FormerSlug.objects.exclude(organization=organization) if organization else FormerSlug.objects.all()
    return (
        slug not in RESERVED_SLUGS and not others.filter(slug=slug).exists() and not former.filter(slug=slug).exists()
    )


def suggest_slug(name: str) -> str:
    """A free slug made of the name: `acme`, `acme-2`, …"""
    base = slugify(name)[:36].strip("-") or "organization"
    for number in range(1, SLUG_ATTEMPTS):
        slug = base if number == 1 else f"{base}-{number}"
        if is_slug_free(slug):
            return slug
    raise Problem("orgs.slug_taken", slug=base)


@transaction.atomic
def create_organization(*, name: str, owner: User, slug: str = "") -> Organization:
    """A new organization whose Owner is `owner`. Raises Problem `orgs.slug_taken`, ValidationError for a bad name."""
    if slug and not is_slug_free(slug):
        raise Conflict("orgs.slug_taken", slug=slug)
    organization = Organization(name=name, slug=slug or suggest_slug(name))
    organization.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            organization.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict("orgs.slug_taken", slug=organization.slug) from error
    Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    Quota.objects.create(organization=organization)
    audit.record(
        action="organization.created",
        actor=owner,
        organization_id=organization.pk,
        target=organization,
        after={"name": organization.name, "slug": organization.slug},
    )
    return organization


@transaction.atomic
def add_member(*, organization: Organization, user: User, role: str, actor: User) -> Membership:
    """Makes the person a member. An Owner is never made this way; raises Conflict for somebody who is one already."""
    if role == Role.OWNER:
        raise Problem("orgs.owner_not_assignable")
    if Membership.objects.filter(organization=organization, user=user).exists():
        raise Conflict("orgs.already_a_member", person=user)
    membership = Membership.objects.create(organization=organization, user=user, role=Role(role))
    audit.record(
        action="member.added",
        actor=actor,
        organization_id=organization.pk,
        target=user,
        after={"role": role},
    )
    return membership
