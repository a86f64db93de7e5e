"""One attempt to bring an environment to a release."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from apps.core.models import BaseModel
from apps.deployments.models.release import Release
from apps.environments.models import Environment
from apps.environments.models import Status as EnvironmentStatus
from apps.operations.models import Operation, OperationStep
from apps.operations.models import Status as OperationStatus
from apps.orgs.models import Organization
from apps.orgs.querysets import TenantQuerySet

# Steps 1 to 8 build (source, database, configuration, image); 9 to 16 deploy.
LAST_BUILDING_STEP = 8


class Trigger(models.TextChoices):
    """What set a deployment off."""

    MANUAL = "manual", "By hand"
    PUSH = "push", "Push"
    API = "api", "API"
    CREATE = "create", "New environment"
    RETRY = "retry", "Retry"
    CLONE = "clone", "Clone"
    RESTORE = "restore", "Restore"


class DeploymentStatus(models.TextChoices):
    """How a deployment is shown; derived, never stored. The last five are terminal."""

    PENDING = "pending", "Pending"
    QUEUED = "queued", "Queued"
    BUILDING = "building", "Building"
    DEPLOYING = "deploying", "Deploying"
    SUCCESS = "success", "Success"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    ROLLED_BACK = "rolled_back", "Rolled back"
    DESTROYED = "destroyed", "Destroyed"


class Deployment(BaseModel):
    """What happens is in its operation; what it brings is in its release."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="deployments")
    number = models.PositiveIntegerField(editable=False)
    operation = models.OneToOneField(Operation, on_delete=models.PROTECT, related_name="deployment", editable=False)
    release = models.ForeignKey(
        Release, on_delete=models.RESTRICT, null=True, blank=True, related_name="deployments", editable=False
    )
    trigger = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.MANUAL, editable=False)
    triggered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="deployments",
        editable=False,
    )
    # Of the primary repository: known once the sources were resolved.
    branch = models.CharField(max_length=200, blank=True, editable=False)
    commit = models.CharField(max_length=64, blank=True, editable=False)
    commit_subject = models.CharField(max_length=200, blank=True, editable=False)
    # The first deployment of an environment creates its database; the usual time is told apart by this and the seed.
    is_first = models.BooleanField(default=False, editable=False)
    seeded = models.BooleanField(default=False, editable=False)
    # Left by a later rollback to an earlier release.
    rolled_back_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TenantQuerySet.as_manager()
    organization_path = "environment__project__organization"

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["environment", "number"], name="deployment_number")]
        indexes = [models.Index(fields=["environment", "-created_at"], name="deployment_recent")]

    def __str__(self) -> str:
        return f"Deployment {self.number}"

    @property
    def organization(self) -> Organization:
        """The tenant that it belongs to."""
        return self.environment.project.organization

    @property
    def status(self) -> str:
        """What it is shown as: from its operation, the step that it is in, and what became of it later."""
        operation = self.operation
        if operation.status == OperationStatus.COMPLETED:
            if self.rolled_back_at is not None:
                return DeploymentStatus.ROLLED_BACK
            gone = self.environment.status == EnvironmentStatus.DELETED
            return DeploymentStatus.DESTROYED if gone else DeploymentStatus.SUCCESS
        if operation.status == OperationStatus.RUNNING:
            steps = [step for step in operation.steps.all() if step.started_at is not None]
            is_late = any(step.position > LAST_BUILDING_STEP for step in steps)
            return DeploymentStatus.DEPLOYING if is_late else DeploymentStatus.BUILDING
        return DeploymentStatus(operation.status)

    @property
    def status_label(self) -> str:
        """The same in words."""
        return DeploymentStatus(self.status).label

    @property
    def failed_step(self) -> OperationStep | None:
        """The step that failed; uses prefetched steps where there are any."""
        return next((step for step in self.operation.steps.all() if step.status == OperationStatus.FAILED), None)

    def get_absolute_url(self) -> str:
        project = self.environment.project
        return reverse(
            "deployments:detail",
            args=[project.organization.slug, project.slug, self.environment.slug, self.number],
        )
