"""News from below: somebody wants a deployment."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from apps.deployments import services
from apps.deployments.models import Deployment, Trigger
from apps.environments.models import Environment
from apps.environments.signals import deployment_wanted


@receiver(deployment_wanted)
def queue_deployment(*, environment: Environment, actor: Any, trigger: str, **_: Any) -> Deployment:
    """Queues it, in the transaction of who asks."""
    known = trigger if trigger in Trigger.values else Trigger.MANUAL
    return services.deploy(environment=environment, user=actor, trigger=known)
