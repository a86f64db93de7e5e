"""The audit trail."""

from __future__ import annotations

import uuid

from django.db import connection, models

# What may be taken out of an event when a person asks to be forgotten.
ERASABLE = ("actor_name", "target_name", "viewer_name", "ip_address", "before", "after")


_ACTIONS = """
WITH RECURSIVE found AS (
    (SELECT action FROM audit_event WHERE organization_id = %(organization)s ORDER BY action LIMIT 1)
    UNION ALL
    SELECT (
        SELECT action FROM audit_event
        WHERE organization_id = %(organization)s AND action > found.action ORDER BY action LIMIT 1
    ) FROM found WHERE found.action IS NOT NULL
) SELECT action FROM found WHERE action IS NOT NULL"""


def actions_of(organization_id: uuid.UUID) -> list[str]:
    """The actions that occur in an organization's trail, in their order. Goes from one to the next through the index
    (PostgreSQL's DISTINCT would read all events)."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIONS, {"organization": organization_id})
        return [action for (action,) in cursor.fetchall()]


class AppendOnlyError(Exception):
    """Somebody tried to change or delete an audit event."""


class EventQuerySet(models.QuerySet):
    def update(self, **fields: object) -> int:
        raise AppendOnlyError("Audit events are never changed.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("Audit events are deleted by their retention only.")


class Event(models.Model):
    """Who did what, to which object, from where, when. People and objects are named by uuid and by their name of then,
    so that the event can be read when they are gone. The database itself refuses to change or delete a row
    (migrations/0002_kept.py): this class only says so earlier."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=80)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=254, blank=True)
    organization_id = models.UUIDField(null=True)
    target_type = models.CharField(max_length=80, blank=True)
    target_id = models.UUIDField(null=True)
    target_name = models.CharField(max_length=254, blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    # The API key that was used, and the member of staff who looked through the actor's eyes.
    key_id = models.UUIDField(null=True)
    key_name = models.CharField(max_length=100, blank=True, default="")
    viewer_id = models.UUIDField(null=True)
    viewer_name = models.CharField(max_length=254, blank=True, default="")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["organization_id", "-created_at"]),
            models.Index(fields=["target_id", "-created_at"]),
            models.Index(fields=["organization_id", "action", "-created_at"], name="audit_by_action"),
            models.Index(fields=["organization_id", "actor_id", "-created_at"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target_name}"

    def save(self, *args: object, **kwargs: object) -> None:
        if not self._state.adding:
            raise AppendOnlyError("Audit events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("Audit events are deleted by their retention only.")

    def save_erased(self) -> None:
        """Stores what `retention.erase_person` took out; the database refuses it outside of that."""
        super().save(update_fields=ERASABLE)

    @property
    def changes(self) -> list[tuple[str, object, object]]:
        """Name, value before, value after, by name; None where there is none."""
        names = sorted({*self.before, *self.after})
        return [(name, self.before.get(name), self.after.get(name)) for name in names]
