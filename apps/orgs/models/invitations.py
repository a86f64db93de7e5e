"""Ways into an organization: by a mail, or by a code that is handed on."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.core import clock
from apps.core.fields import EncryptedTextField
from apps.core.models import BaseModel
from apps.core.validators import validate_text
from apps.orgs.models.organization import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.orgs.roles import Role

MOST_USES = 500


class InvitationQuerySet(TenantQuerySet):
    """Invitations, by how they stand now."""

    def open(self) -> Self:
        """Those that still let somebody in."""
        return self.filter(revoked_at=None, expires_at__gt=clock.now(), uses__lt=F("max_uses"))

    def over(self) -> Self:
        """Those that let nobody in any more: accepted, revoked or expired."""
        return self.filter(Q(revoked_at__isnull=False) | Q(expires_at__lte=clock.now()) | Q(uses__gte=F("max_uses")))


class Invitation(BaseModel):
    """Who has the link or the code may join as `role` until `expires_at`, at most `max_uses` people. With an `email`,
    only the person whose verified address that is. Links and codes are found by a keyed hash, and stored encrypted, so
    that they can be copied and sent again."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        ACCEPTED = "accepted", "Accepted"
        REVOKED = "revoked", "Revoked"
        EXPIRED = "expired", "Expired"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=[choice for choice in Role.choices if choice[0] != Role.OWNER])
    email = models.EmailField(blank=True)
    message = models.CharField(max_length=1000, blank=True, validators=[validate_text])
    # Projects stand in a layer above: their ids, checked when the invitation is written and again when it is accepted.
    project_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    code = EncryptedTextField(editable=False)
    code_hash = models.CharField(max_length=64, unique=True, editable=False)
    link_token = EncryptedTextField(editable=False)
    link_hash = models.CharField(max_length=64, unique=True, editable=False)
    max_uses = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_USES)])
    uses = models.PositiveIntegerField(default=0, editable=False)
    expires_at = models.DateTimeField()
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, editable=False)
    mailed_at = models.DateTimeField(null=True, editable=False)
    # When code and link were made anew, because somebody who had seen them may not invite any more.
    code_renewed_at = models.DateTimeField(null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=~Q(role=Role.OWNER), name="nobody_is_invited_as_owner"),
            models.CheckConstraint(condition=Q(uses__lte=F("max_uses")), name="invitation_uses"),
            models.CheckConstraint(condition=Q(email="") | Q(max_uses=1), name="invitation_by_mail_is_for_one"),
        ]
        indexes = [models.Index(fields=["organization", "-created_at"], name="invitation_newest")]

    def __str__(self) -> str:
        return f"{self.get_role_display()} in {self.organization} for {self.email or 'who has the code'}"

    @property
    def state(self) -> str:
        """One of State; what was accepted by all whom it is for stays accepted after its time."""
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.uses >= self.max_uses:
            return self.State.ACCEPTED
        return self.State.PENDING if self.expires_at > clock.now() else self.State.EXPIRED

    def get_state_display(self) -> str:
        return self.State(self.state).label

    @property
    def is_open(self) -> bool:
        return self.state == self.State.PENDING


class InvitationUse(BaseModel):
    """Who came in by which invitation."""

    invitation = models.ForeignKey(Invitation, models.CASCADE, related_name="accepted")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    objects = TenantQuerySet.as_manager()
    organization_path = "invitation__organization"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invitation", "user"], name="invitation_used_once_per_person")]

    @property
    def organization(self) -> Organization:
        """The tenant that it belongs to."""
        return self.invitation.organization


class InvitationReader(BaseModel):
    """Who has seen the code that an invitation has now."""

    invitation = models.ForeignKey(Invitation, models.CASCADE, related_name="readers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="read_invitations")

    objects = TenantQuerySet.as_manager()
    organization_path = "invitation__organization"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invitation", "user"], name="invitation_read_once_per_person")]

    @property
    def organization(self) -> Organization:
        """The tenant that it belongs to."""
        return self.invitation.organization
