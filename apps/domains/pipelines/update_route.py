"""Following an environment that was stopped, paused or started: visitors meet a friendly page instead of silence."""

from __future__ import annotations

from apps.domains import services
from apps.domains.models import Route
from apps.domains.routes import RouteState
from apps.environments.models import Environment, Status
from apps.operations.pipeline import Pipeline, RunContext, Step, register
from apps.servers.host import open_host

UPDATE_KIND = "domains.update_route"
# What visitors meet in each status; in the others the route stays as it is.
STATES = {Status.RUNNING: RouteState.OPEN, Status.STOPPED: RouteState.STOPPED, Status.PAUSED: RouteState.PAUSED}


def wanted_state(environment: Environment) -> RouteState | None:
    """What visitors should meet now; None: leave it."""
    return STATES.get(Status(environment.status))


def apply(context: RunContext) -> None:
    """Looks at the status as it is now: it may have changed again since this was queued."""
    route = (
        Route.objects.filter(environment_id=context.run.operation.subject_id)
        .select_related("environment__project__organization", "environment__server__ssh_key")
        .first()
    )
    if route is None:
        context.run.skip("The environment has no route.")
    state = wanted_state(route.environment)
    if state is None or services.load_specification(route).state == state:
        context.run.skip("The route is as it should be.")
    with open_host(route.environment.server) as host:
        services.change_route(route, host=host, run=context.run, state=state)


PIPELINE = register(
    Pipeline(
        kind=UPDATE_KIND,
        title="Follow the environment's state in its route",
        steps=(Step("apply", "Change the route", apply, timeout=300),),
        view_code="project.environments.view",
        cancel_code="project.environments.control",
        retry_code="project.environments.domains.manage",
    )
)
