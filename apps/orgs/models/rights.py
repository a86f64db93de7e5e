"""What gives rights besides a membership: teams, an organization's own roles, and exceptions for one person."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from apps.core import clock
from apps.core.models import BaseModel
from apps.core.validators import validate_plain_text
from apps.orgs.models.organization import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.orgs.roles import ALL_CODES


def validate_codes(codes: list[str]) -> None:
    """Codes of the table, none of the platform's own tier: no organization can give those away."""
    for code in codes:
        if code not in ALL_CODES or code.startswith("portal."):
            raise ValidationError("There is no permission %(code)s to give.", params={"code": code})


def validate_code(code: str) -> None:
    """As validate_codes, for one."""
    validate_codes([code])


class Colour(models.TextChoices):
    """How a team is marked. Names, so that the design decides about the shade (light and dark)."""

    GREY = "grey", "Grey"
    BLUE = "blue", "Blue"
    GREEN = "green", "Green"
    AMBER = "amber", "Amber"
    RED = "red", "Red"
    VIOLET = "violet", "Violet"


class Team(BaseModel):
    """People of one organization who get a role on projects together. Its members are the users of `group`; which
    role the team has on which project is a row of django-guardian for that group."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="teams")
    name = models.CharField(max_length=60, validators=[validate_plain_text])
    description = models.CharField(max_length=300, blank=True, validators=[validate_plain_text])
    colour = models.CharField(max_length=10, choices=Colour.choices, default=Colour.GREY)
    group = models.OneToOneField(Group, models.CASCADE, related_name="team", editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="one_team_per_name")]

    def __str__(self) -> str:
        return self.name


class CustomRole(BaseModel):
    """A role that an organization made itself: a name for a set of codes, given to members besides their role."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="custom_roles")
    name = models.CharField(max_length=60, validators=[validate_plain_text])
    description = models.CharField(max_length=300, blank=True, validators=[validate_plain_text])
    codes = ArrayField(models.CharField(max_length=60), validators=[validate_codes])

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="one_custom_role_per_name")]

    def __str__(self) -> str:
        return self.name


class CustomRoleAssignment(BaseModel):
    """One member has one of the organization's own roles, everywhere or on one project (`project_id`: this layer does
    not know projects)."""

    organization_path = "role__organization"

    role = models.ForeignKey(CustomRole, models.CASCADE, related_name="assignments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="custom_roles")
    # A name of its own, because these rows are the organization's, whatever project they speak of.
    on_project = models.UUIDField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["role", "user", "on_project"], nulls_distinct=False, name="one_assignment_per_role"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"

    @property
    def organization(self) -> Organization:
        return self.role.organization


class OverrideQuerySet(TenantQuerySet):
    def in_force(self) -> Self:
        """Those that have not expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=clock.now()))


class PermissionOverride(BaseModel):
    """One code given to or taken from one member, for a while or for good, everywhere or on one project. What is taken
    stays taken whatever gives it."""

    class Effect(models.TextChoices):
        GRANT = "grant", "Given"
        DENY = "deny", "Taken away"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="overrides")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="overrides")
    code = models.CharField(max_length=60, validators=[validate_code])
    effect = models.CharField(max_length=5, choices=Effect.choices)
    on_project = models.UUIDField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True, validators=[validate_plain_text])
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = OverrideQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user", "code", "on_project"],
                nulls_distinct=False,
                name="one_override_per_code",
            )
        ]
        indexes = [models.Index(fields=["user", "organization"])]

    def __str__(self) -> str:
        return f"{self.user}: {self.code} {self.get_effect_display().lower()}"

    def as_audit(self) -> dict[str, Any]:
        """What the audit trail keeps of it."""
        return {
            "code": self.code,
            "effect": self.effect,
            "project": str(self.on_project or ""),
            "expires_at": self.expires_at.isoformat() if self.expires_at else "",
            "reason": self.reason,
        }
