"""Organizations and who is a member of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.urls import reverse

from apps.core.models import BaseModel
from apps.core.validators import validate_plain_text, validate_slug
from apps.orgs.querysets import TenantQuerySet
from apps.orgs.roles import Role

# Between the wish to delete an organization and the deletion.
DELETION_GRACE = timedelta(days=7)
validate_colour = RegexValidator(r"\A#[0-9a-f]{6}\Z", "Write the colour as # and six of 0-9 and a-f, such as #2a5bd7.")


class Organization(BaseModel):
    """A company, an agency, a team: the boundary of tenancy. Everything else belongs to exactly one."""

    organization_path = ""

    name = models.CharField(max_length=100, validators=[validate_plain_text])
    slug = models.CharField(max_length=40, unique=True, validators=[validate_slug])
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="organizations")
    # White label: the portal's head and the mails carry them. The logo's picture stands in a row of its own, which is
    # read only to be sent; its version (a digest) is part of its address, so that browsers may keep it for ever.
    colour = models.CharField(max_length=7, blank=True, validators=[validate_colour])
    logo_version = models.CharField(max_length=16, blank=True, editable=False)
    require_second_factor = models.BooleanField(default=False)
    audit_retention_days = models.PositiveIntegerField(
        default=365, validators=[MinValueValidator(30), MaxValueValidator(3650)]
    )
    delete_after = models.DateTimeField(null=True, blank=True, editable=False)
    deletion_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        # The objects of django-guardian's rows: who has which role here. What a role may do stands in orgs/roles.py.
        permissions = [(f"role_{role}", f"Role: {label}") for role, label in Role.choices]

    def __str__(self) -> str:
        return self.name

    @property
    def organization(self) -> Organization:
        """Itself, so that every tenant's object answers the same question."""
        return self

    @property
    def is_leaving(self) -> bool:
        """True from the wish to delete it on: nothing new is made in it."""
        return self.delete_after is not None

    @property
    def logo_url(self) -> str:
        """The address of the logo, without the host; empty when there is none."""
        return reverse("orgs:logo", args=[self.pk, self.logo_version]) if self.logo_version else ""

    def get_absolute_url(self) -> str:
        return reverse("portal:organization", args=[self.slug])


class OrganizationLogo(BaseModel):
    """The logo of an organization, drawn anew by us from what was uploaded: a PNG of at most 512 x 128 pixels."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="logo")
    picture = models.BinaryField()

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Logo of {self.organization}"


class FormerSlug(BaseModel):
    """A short name that an organization had: its addresses lead on, and nobody else gets it."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="former_slugs")
    slug = models.CharField(max_length=40, unique=True)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.slug}, now {self.organization.slug}"


class Membership(BaseModel):
    """One person's role in one organization."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="one_membership_per_person"),
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(role=Role.OWNER), name="exactly_one_owner"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}: {self.get_role_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """With django-guardian's row (receivers.py), or not at all."""
        with transaction.atomic():
            super().save(*args, **kwargs)
