"""The words for where an operation, a step or an undo is, what started it, and how much a line matters."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    """Where an operation or a step is. The last four never change again."""

    PENDING = "pending", "Pending"
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    SKIPPED = "skipped", "Skipped"


# An operation which holds its lock key; a pending one waits for it.
ACTIVE = (Status.QUEUED, Status.RUNNING)
UNFINISHED = (Status.PENDING, Status.QUEUED, Status.RUNNING)
FINISHED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
# A step that needs nothing more.
OVER = (Status.COMPLETED, Status.SKIPPED)


class Trigger(models.TextChoices):
    """What started an operation."""

    MANUAL = "manual", "A person"
    API = "api", "The API"
    PUSH = "push", "A push"
    SCHEDULE = "schedule", "A schedule"
    RETRY = "retry", "A retry"
    FOLLOW_UP = "follow_up", "Another operation"


class UndoStatus(models.TextChoices):
    NONE = "", "Not undone"
    RUNNING = "running", "Being undone"
    COMPLETED = "completed", "Undone"
    FAILED = "failed", "Could not be undone"


class Level(models.TextChoices):
    """Levels of log lines, the least first."""

    DEBUG = "DEBUG", "Debug"
    INFO = "INFO", "Info"
    WARNING = "WARNING", "Warning"
    ERROR = "ERROR", "Error"
