"""Organizations and who is a member of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from apps.core.models import BaseModel
from apps.core.validators import validate_plain_text, validate_slug
from apps.orgs.querysets import TenantQuerySet
from apps.orgs.roles import Role


class Organization(BaseModel):
    """A company, an agency, a team: the boundary of tenancy. Everything else belongs to exactly one."""

    organization_path = ""

    name = models.CharField(max_length=100, validators=[validate_plain_text])
    slug = models.CharField(max_length=40, unique=True, validators=[validate_slug])
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="organizations")

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def organization(self) -> Organization:
        """Itself, so that every tenant's object answers the same question."""
        return self

    def get_absolute_url(self) -> str:
        return reverse("portal:organization", args=[self.slug])


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
