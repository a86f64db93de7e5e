"""Bad input and faults of a first deployment: each ends with a clear word, and nothing half-made stays in the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from apps.deployments import services
from apps.environments.models import Environment, Status
from apps.operations.models import LogLine, OperationStep
from apps.operations.runner import run_operation
from apps.projects.models import RegistryAccount
from apps.servers import services as server_services
from apps.servers.models import Server
from tests.cast import Cast
from tests.deployments.conftest import Ground, deploy, statuses, story
from tests.lab.addons import module_with_missing_dependency, module_with_syntax_error, odoo_module
from tests.lab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.slow]
INIT = "oecsh_demo/__init__.py"
# The module's code behaves while it is installed, and not while Odoo serves.
SLEEPS = "import sys, time\nif '--stop-after-init' not in sys.argv:\n    time.sleep(3600)\nfrom . import models\n"
ENDS = "import sys\nif '--stop-after-init' not in sys.argv:\n    raise SystemExit('no more')\nfrom . import models\n"


def containers(ground: Ground, environment: Environment) -> list[str]:
    names = ground.machine.run(["docker", "ps", "-a", "--format", "{{.Names}}"]).stdout.split()
    return sorted(name.removeprefix(f"{environment.pk}_") for name in names if str(environment.pk) in name)


def test_a_module_that_cannot_be_installed_is_shown_in_odoos_own_words(
    cast: Cast, make_environment: Callable[..., Environment], git_server: Any, ground: Ground
) -> None:
    for name, module, words in (
        ("broken", module_with_syntax_error(), "SyntaxError"),
        ("lonely", module_with_missing_dependency(), "no_such_module"),
    ):
        repository = git_server.create(f"{name}-{time.time_ns()}", modules={name: module})
        environment = make_environment(repository=repository)
        deployment = deploy(environment, cast.bob)
        operation = deployment.operation
        assert (deployment.status, operation.error_code) == ("failed", "deployments.install_failed"), story(operation)
        step = deployment.failed_step
        assert step.name == "install_addons"
        assert words in step.last_lines + operation.hint
        lines = LogLine.objects.filter(operation=operation, level="ERROR")
        assert any("Traceback" in line.text for line in lines)
        assert any(words in line.text for line in lines)
        assert environment.status == Status.ERROR
        assert "odoo_next" not in containers(ground, environment)

    repository.commit(odoo_module("oecsh_lonely"), "Without it")
    deployment = deploy(environment, cast.bob)
    assert deployment.status == "success", story(deployment.operation)
    assert statuses(deployment)["install_addons"] == "completed"


def test_images_that_cannot_be_had(
    cast: Cast, make_environment: Callable[..., Environment], private_registry: Any
) -> None:
    environment = make_environment(install=["base"])
    project = environment.project
    account = RegistryAccount.objects.create(
        organization=cast.acme,
        name="Ours",
        kind="other",
        host=private_registry.host,
        username=private_registry.user,
        password=private_registry.password,
    )
    project.image, project.registry_account = f"{private_registry.host}/team/odoo:nowhere", account
    project.save()
    deployment = deploy(environment, cast.bob)
    assert deployment.operation.error_code == "deployments.image_not_found", story(deployment.operation)
    assert deployment.failed_step.name == "pull_image"
    assert project.image in deployment.operation.error

    account.password = "not-the-password"
    account.save()
    deployment = deploy(environment, cast.bob)
    assert deployment.operation.error_code == "deployments.image_denied", story(deployment.operation)
    lines = "\n".join(deployment.operation.lines.values_list("text", flat=True))
    assert "not-the-password" not in lines


@pytest.mark.parametrize(
    ("code", "error"), [(SLEEPS, "deployments.not_healthy"), (ENDS, "deployments.odoo_ended")], ids=["sleeps", "ends"]
)
def test_an_odoo_that_never_gets_healthy(
    cast: Cast,
    make_environment: Callable[..., Environment],
    repository: Any,
    ground: Ground,
    settings: Any,
    code: str,
    error: str,
) -> None:
    settings.ODOO_HEALTH_SECONDS = 25
    repository.commit({INIT: code}, "Not while serving")
    environment = make_environment(repository=repository)
    deployment = deploy(environment, cast.bob)
    assert deployment.operation.error_code == error, story(deployment.operation)
    assert deployment.failed_step.name == "health_check"
    assert "Odoo's last lines" in "\n".join(deployment.operation.lines.values_list("text", flat=True))
    assert environment.status == Status.ERROR
    assert "odoo_next" not in containers(ground, environment)

    repository.commit({INIT: "from . import models\n"}, "While serving too")
    deployment = deploy(environment, cast.bob)
    assert deployment.status == "success", story(deployment.operation)


def test_cancelled_in_the_middle_of_an_install_nothing_stays(
    cast: Cast, make_environment: Callable[..., Environment], repository: Any, ground: Ground
) -> None:
    environment = make_environment(repository=repository)
    deployment = services.deploy(environment=environment, user=cast.bob)

    def work() -> None:
        try:
            run_operation(deployment.operation_id)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    steps = OperationStep.objects.filter(operation=deployment.operation, name="install_addons", status="running")
    deadline = time.monotonic() + 180
    while not steps.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    asked_at = time.monotonic()
    services.cancel(deployment=deployment, user=cast.bob)
    thread.join(timeout=90)
    took = time.monotonic() - asked_at
    deployment.operation.refresh_from_db()
    environment.refresh_from_db()
    assert deployment.operation.status == "cancelled", story(deployment.operation)
    assert not deployment.operation.needs_attention
    assert environment.status == Status.PENDING
    assert containers(ground, environment) == []
    jobs = ground.machine.run(["docker", "ps", "-aq", "--filter", "label=oecsh.operation"]).stdout.split()
    assert jobs == []
    folder = f"/opt/oecsh/envs/{environment.pk}"
    assert ground.machine.run(["ls", folder]).stdout.split() == ["data"]
    assert took < 60

    deployment = deploy(environment, cast.bob)
    assert deployment.status == "success", story(deployment.operation)


def test_a_full_disk_is_refused_before_anything_is_put_on_it(
    cast: Cast, make_environment: Callable[..., Environment], server: Server, lab: Lab
) -> None:
    machine = lab.server("small")
    machine.limit_disk(400)
    small = server_services.add_server(
        organization=cast.acme,
        name="Small",
        address=machine.address,
        port=machine.port,
        user=machine.user,
        private_key=machine.private_key,
        actor=cast.alice,
    )
    server_services.confirm_host_key(server=small, host_key=machine.host_key, actor=cast.alice)
    server_services.sync(small)
    environment = make_environment(install=["base"])
    Server.objects.filter(pk=small.pk).update(status=Server.Status.READY)
    Environment.objects.filter(pk=environment.pk).update(server=small)
    environment.refresh_from_db()
    deployment = deploy(environment, cast.bob)
    assert deployment.operation.error_code == "deployments.disk_too_full", story(deployment.operation)
    assert deployment.failed_step.name == "validate"
    assert deployment.failed_step.who == "server administrator"
    assert not machine.path(f"/opt/oecsh/envs/{environment.pk}").exists()


def test_a_server_that_is_not_ready(cast: Cast, make_environment: Callable[..., Environment], server: Server) -> None:
    environment = make_environment(install=["base"])
    Server.objects.filter(pk=server.pk).update(status=Server.Status.ERROR)
    deployment = deploy(environment, cast.bob)
    assert deployment.operation.error_code == "deployments.server_not_ready"
    assert environment.status == Status.ERROR


def test_no_such_branch_and_no_such_repository(
    cast: Cast, make_environment: Callable[..., Environment], repository: Any
) -> None:
    environment = make_environment(repository=repository)
    Environment.objects.filter(pk=environment.pk).update(branch="nowhere")
    deployment = deploy(environment, cast.bob)
    assert deployment.operation.error_code == "projects.branch_not_found", story(deployment.operation)
    assert deployment.failed_step.name == "clone_repository"
    environment.project.repositories.update(url=f"{repository.url}-is-not-there")
    deployment = deploy(environment, cast.bob)
    assert deployment.operation.error_code == "projects.repository_not_found", story(deployment.operation)
