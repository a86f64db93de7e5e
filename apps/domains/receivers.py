"""News from below: environments that leave, stop, or come back."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from apps.domains import services
from apps.domains.models import Route
from apps.domains.pipelines.update_route import UPDATE_KIND, wanted_state
from apps.environments.models import Environment
from apps.environments.signals import environment_deleted, environment_leaving, status_changed
from apps.operations import services as operations
from apps.operations.models import Trigger
from apps.operations.run import Run
from apps.servers.host import Host


@receiver(environment_leaving)
def take_the_name_away(*, environment: Environment, host: Host, run: Run, **_: Any) -> None:
    """Routes go before the containers that they lead to."""
    services.remove_routing(environment=environment, host=host, run=run)


@receiver(environment_deleted)
def forget_the_name(*, environment: Environment, **_: Any) -> None:
    """Also where its server could not be reached any more."""
    services.forget_name(environment)


@receiver(status_changed)
def follow_in_the_route(*, environment: Environment, **_: Any) -> None:
    """Queues the change of the route, which needs the server; deployments set it themselves."""
    state = wanted_state(environment)
    route = Route.objects.filter(environment=environment).first()
    if state is None or route is None or services.load_specification(route).state == state:
        return
    operations.queue(
        kind=UPDATE_KIND,
        subject=environment,
        organization=environment.organization,
        lock_key=f"route:{environment.pk}",
        trigger=Trigger.FOLLOW_UP,
        title=f"Route of {environment.host_name}"[:200],
        wait=True,
    )
