"""What reaches a person: the inbox, mails, and what the person wants of both. These rows belong to the person alone."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.models import BaseModel
from apps.notifications.models.event import Event
from apps.notifications.models.outbox import OutboxRow, OutboxStatus
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet
from apps.projects.models import Project


class PersonalQuerySet(TenantQuerySet):
    """Rows of one person. Nobody else sees them, whatever their role."""

    def visible_to(self, user: Any) -> Self:
        """The person's own rows about organizations and projects that the person may still see."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        mine = self.filter(user_id=user.pk)
        path = self.model.about
        organizations = Organization.objects.visible_to(user).order_by().values("pk")
        projects = Project.objects.visible_to(user).order_by().values("pk")
        about = Q(**{f"{path}organization__in": organizations}, **{f"{path}project": None})
        # A general preference is about neither.
        nothing = Q(**{f"{path}organization": None})
        return mine.filter(about | Q(**{f"{path}project__in": projects}) | nothing)


class Notice(BaseModel):
    """A line in a person's inbox."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    event = models.ForeignKey(Event, models.CASCADE, related_name="notices")
    read_at = models.DateTimeField(null=True, blank=True)

    objects = PersonalQuerySet.as_manager()
    organization_path = "event__organization"
    about = "event__"

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["user", "event"], name="one_notice_per_event")]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="notice_recent"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="notice_unread"),
        ]

    def __str__(self) -> str:
        return str(self.event)


class Mail(OutboxRow):
    """One event as a mail to one person. The Message-ID is made of its id."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_mails")
    event = models.ForeignKey(Event, models.CASCADE, related_name="mails")

    objects = PersonalQuerySet.as_manager()
    organization_path = "event__organization"
    about = "event__"

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["user", "event"], name="one_mail_per_event")]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(status=OutboxStatus.PENDING), name="mail_due"),
            models.Index(fields=["user", "-created_at"], name="mail_recent"),
            models.Index(fields=["lease_expires_at"], condition=Q(lease_expires_at__isnull=False), name="mail_leases"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.user}"


class Channel(models.TextChoices):
    """How a person is told."""

    INBOX = "inbox", "Inbox"
    MAIL = "mail", "E-mail"


class Preference(BaseModel):
    """What a person chose for one kind of event and one channel: in general, for an organization, or for a project.
    Where there is no row, the next wider choice counts."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_preferences")
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, blank=True, related_name="+")
    project = models.ForeignKey(Project, models.CASCADE, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=60)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    is_wanted = models.BooleanField()

    objects = PersonalQuerySet.as_manager()
    about = ""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind", "channel"],
                condition=Q(organization=None, project=None),
                name="one_general_preference",
            ),
            models.UniqueConstraint(
                fields=["user", "kind", "channel", "organization"],
                condition=Q(project=None),
                name="one_preference_per_organization",
            ),
            models.UniqueConstraint(fields=["user", "kind", "channel", "project"], name="one_preference_per_project"),
            # A project's choice names the project's organization too, so that leaving it is found by either.
            models.CheckConstraint(
                condition=Q(project=None) | Q(organization__isnull=False), name="a_project_has_its_organization"
            ),
        ]
