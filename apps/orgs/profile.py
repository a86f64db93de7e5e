"""What an organization says about itself and wants of its people: name, addresses, looks, rules."""

from __future__ import annotations

import hashlib
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.audit import services as audit
from apps.core.exceptions import Conflict
from apps.core.pictures import redraw
from apps.orgs.models import FormerSlug, Organization, OrganizationLogo
from apps.orgs.services import is_slug_free, lock_organization

FIELDS = ("name", "slug", "colour", "require_second_factor", "audit_retention_days")
LOGO_WIDTH, LOGO_HEIGHT = 512, 128
MOST_FORMER_SLUGS = 10


@transaction.atomic
def update_organization(*, organization: Organization, actor: User, **changes: Any) -> Organization:
    """Changes any of FIELDS. The addresses of a short name that was given up lead on, as long as it is among the last
    ten.

    Raises ValidationError, Conflict `orgs.slug_taken`.
    """
    unknown = set(changes) - set(FIELDS)
    if unknown:
        raise TypeError(f"Not to be changed here: {', '.join(sorted(unknown))}")
    organization = lock_organization(organization)
    before = audit.snapshot(organization, list(FIELDS))
    former = organization.slug
    for name, value in changes.items():
        setattr(organization, name, value)
    organization.full_clean(validate_unique=False, validate_constraints=False)
    if organization.slug != former:
        _ensure_free(organization)
    after = audit.snapshot(organization, list(FIELDS))
    changed = [name for name in FIELDS if before[name] != after[name]]
    if not changed:
        return organization
    try:
        with transaction.atomic():
            organization.save(update_fields=[*changed, "updated_at"])
    except IntegrityError as error:
        raise Conflict("orgs.slug_taken", slug=organization.slug) from error
    if "slug" in changed:
        _keep_former(organization, former)
    audit.record(
        action="organization.updated",
        actor=actor,
        organization_id=organization.pk,
        target=organization,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    return organization


def _ensure_free(organization: Organization) -> None:
    if not is_slug_free(organization.slug, organization):
        raise Conflict("orgs.slug_taken", slug=organization.slug)


def _keep_former(organization: Organization, slug: str) -> None:
    FormerSlug.objects.filter(slug=organization.slug, organization=organization).delete()
    FormerSlug.objects.get_or_create(slug=slug, defaults={"organization": organization})
    rows = FormerSlug.objects.filter(organization=organization).order_by("-created_at")
    FormerSlug.objects.filter(pk__in=[row.pk for row in rows[MOST_FORMER_SLUGS:]]).delete()


@transaction.atomic
def set_logo(*, organization: Organization, upload: BinaryIO, actor: User) -> Organization:
    """Puts a picture in the place of the logo, drawn anew as a PNG. Raises ValidationError (see `core.pictures`)."""
    try:
        picture = redraw(upload, width=LOGO_WIDTH, height=LOGO_HEIGHT)
    except ValidationError as error:
        raise ValidationError({"logo": error.messages}) from error
    organization = lock_organization(organization)
    OrganizationLogo.objects.update_or_create(organization=organization, defaults={"picture": picture})
    _note_logo(organization, actor, hashlib.sha256(picture).hexdigest()[:16])
    return organization


@transaction.atomic
def remove_logo(*, organization: Organization, actor: User) -> Organization:
    """From now on the organization is shown by its initial. Harmless when there is no logo."""
    organization = lock_organization(organization)
    if organization.logo_version:
        OrganizationLogo.objects.filter(organization=organization).delete()
        _note_logo(organization, actor, "")
    return organization


def _note_logo(organization: Organization, actor: User, version: str) -> None:
    before, organization.logo_version = organization.logo_version, version
    organization.save(update_fields=["logo_version", "updated_at"])
    audit.record(
        action="organization.logo_changed",
        actor=actor,
        organization_id=organization.pk,
        target=organization,
        before={"logo": before},
        after={"logo": version},
    )
