"""From the button to an Odoo that is healthy through the proxy, against the same with Docker by hand.

A run of ours and a run by hand take turns, so that both meet the same machine.
"""

from __future__ import annotations

from apps.deployments.models import Deployment, Seed
from apps.deployments.services import deploy
from apps.environments.models import Environment
from apps.environments.render import specification_of
from apps.projects.models import Project
from apps.servers import paths
from apps.servers.host import open_host
from tests.bench import by_hand
from tests.bench.demo import Demo, completed, keep_steps, on_demo, progress, seconds_of_steps
from tests.bench.measurement import Measurement, benchmark, runs


@benchmark
@on_demo
def deploy_seeded() -> list[Measurement]:
    """With a repository that holds a module; images and seed are there. By hand: `-i base` alone."""
    ours = Measurement("deploy_seeded", "s", "≤ 5 s, ratio ≤ 0.167", by_hand=[])
    demo, steps = Demo(), []
    with demo.project(with_repository=True) as project:
        first = _deploy(demo, project)
        progress(f"a first one, so that seed and commit are there: {_seconds(first):.1f} s")
        for _ in range(runs()):
            _by_hand(demo, project, ours)
            deployment = _deploy(demo, project)
            if not deployment.seeded or not deployment.operation.data["seed_modules"]:
                raise RuntimeError("The deployment did not start from a seed with the project's module.")
            _note(ours, deployment, steps)
    keep_steps("deploy_seeded", steps)
    return [ours]


@benchmark
@on_demo
def deploy_cold() -> list[Measurement]:
    """Without a seed, and without modules besides base: the same work as by hand, and a seed kept of it."""
    ours = Measurement("deploy_cold", "s", "ratio ≤ 1.15", by_hand=[])
    demo, steps = Demo(), []
    with demo.project(with_repository=False) as project:
        for _ in range(runs()):
            _by_hand(demo, project, ours)
            _forget_seeds(demo)
            deployment = _deploy(demo, project)
            if deployment.seeded:
                raise RuntimeError("The deployment started from a seed.")
            _note(ours, deployment, steps)
    keep_steps("deploy_cold", steps)
    return [ours]


def _deploy(demo: Demo, project: Project) -> Deployment:
    """A new environment, deployed to its good end and removed again."""
    with demo.environment(project) as environment:
        deployment = deploy(environment=environment, user=demo.user)
        deployment.operation = completed(deployment.operation)
        deployment.refresh_from_db(fields=["seeded"])
    return deployment


def _seconds(deployment: Deployment) -> float:
    """From queueing to the end of the last step."""
    operation = deployment.operation
    return (operation.finished_at - operation.queued_at).total_seconds()


def _note(measurement: Measurement, deployment: Deployment, steps: list[dict[str, float]]) -> None:
    measurement.ours.append(_seconds(deployment))
    taken = seconds_of_steps(deployment.operation)
    waited = (deployment.operation.started_at - deployment.operation.queued_at).total_seconds()
    steps.append({"until_a_worker_began": round(waited, 3)} | taken)
    longest = sorted(taken.items(), key=lambda item: -item[1])[:5]
    words = ", ".join(f"{name} {seconds:.2f}" for name, seconds in longest)
    progress(f"ours {measurement.ours[-1]:.2f} s ({words})")


def _by_hand(demo: Demo, project: Project, measurement: Measurement) -> None:
    measurement.by_hand.append(by_hand.new_odoo(_limits(demo, project)))
    progress(f"by hand {measurement.by_hand[-1]:.2f} s")


def _limits(demo: Demo, project: Project) -> by_hand.Limits:
    """What the containers of a development environment get while it is deployed."""
    from apps.environments.services import build_environment

    environment: Environment = build_environment(project=project, environment_type="development", server=demo.server)
    specification = specification_of(environment).with_release(is_boosted=True)
    allocation = environment.allocation
    cpu = specification.cpu_of(allocation.odoo_cpu)
    return by_hand.Limits(cpu, allocation.postgres_memory_megabytes, allocation.odoo_memory_megabytes)


def _forget_seeds(demo: Demo) -> None:
    """Removes the kept first installs without modules from the server; the run that follows keeps a new one."""
    with open_host(demo.server) as host:
        for seed in Seed.objects.filter(server=demo.server, modules={}):
            seed.delete()
            host.files.remove_tree(paths.seeds_directory() / f"{seed.key}-{seed.database_name}")
