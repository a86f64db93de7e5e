"""Operations of the scene: sixteen steps in the states that go with an outcome, and log lines."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from apps.accounts.models import User
from apps.deployments.models import Deployment
from apps.environments.models import Environment
from apps.operations.models import LogLine, Operation, OperationStep
from apps.servers.models import Server

DEPLOY, PREPARE = "environment.deploy", "servers.bootstrap"
STEPS = (
    ("queue", "Queue the task"),
    ("validate", "Validate the configuration"),
    ("clone_repository", "Fetch the project’s repository"),
    ("clone_modules", "Fetch the module repositories"),
    ("create_database", "Create the PostgreSQL database"),
    ("deploy_pgbouncer", "Start PgBouncer"),
    ("generate_config", "Write odoo.conf"),
    ("pull_image", "Pull the image"),
    ("create_container", "Create the Odoo container"),
    ("install_base", "Install the database"),
    ("update_module_list", "Update the list of modules"),
    ("install_addons", "Install the project’s modules"),
    ("configure_routing", "Configure the routes"),
    ("request_certificate", "Request the certificate"),
    ("health_check", "Check the health"),
    ("complete", "Finish"),
)
SECONDS = (0.1, 0.4, 1.8, 2.6, 1.2, 0.6, 0.1, 3.4, 0.9, 41.0, 2.2, 12.7, 0.3, 1.1, 1.9, 0.1)
FAILED_AT = 11  # install_addons
TRACEBACK = """Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/odoo/modules/registry.py", line 127, in new
    odoo.modules.load_modules(registry, update_module=update_module)
  File "/mnt/extra-addons/project/agency_sale/models/sale_order.py", line 14
    def action_confirm(self)
                            ^
SyntaxError: expected ':'"""
LOREM = (
    "odoo.modules.loading: loading module {n} of 214: agency_sale_{n}",
    "odoo.modules.registry: module agency_sale_{n}: creating or updating database tables",
    "odoo.addons.base.models.ir_model: table sale_order_line_{n} has no primary key, one is added",
    "odoo.sql_db: bad query on index {n}, it is created again in the background once the transaction is over",
)


def add_deployment(
    environment: Environment, person: User, status: str, started: datetime, *, number: int, lines: int = 240
) -> Deployment:
    """A deployment with its sixteen steps in the states that go with `status`, and log lines."""
    operation = add_operation(environment, DEPLOY, f"Deploy {environment.name}", person, status, started, lines=lines)
    deployment = Deployment.objects.create(
        environment=environment,
        number=number,
        operation=operation,
        triggered_by=person,
        branch=environment.branch,
        commit=f"{random.Random(number).getrandbits(160):040x}",
        commit_subject="Confirm sale orders of subsidiaries by their own warehouse",
        is_first=number == 1,
    )
    Deployment.objects.filter(pk=deployment.pk).update(created_at=started)
    return deployment


def add_operation(
    subject: Environment | Server,
    kind: str,
    title: str,
    person: User,
    status: str,
    started: datetime,
    *,
    lines: int = 240,
) -> Operation:
    """An operation with steps in the states that go with `status`, and log lines."""
    finished = None if status == "running" else started + timedelta(seconds=sum(SECONDS))
    operation = Operation.objects.create(
        kind=kind,
        title=title,
        subject_type=subject._meta.label_lower,
        subject_id=subject.pk,
        organization=subject.organization,
        lock_key=subject.lock_key,
        status=status,
        outcome="" if status == "running" else status,
        created_by=person,
        queued_at=started,
        started_at=started,
        finished_at=finished,
        error="The module agency_sale cannot be loaded." if status == "failed" else "",
        error_code="deployments.module_broken" if status == "failed" else "",
        version=20,
    )
    Operation.objects.filter(pk=operation.pk).update(created_at=started)
    add_lines(operation, _make_steps(operation, status, started), lines, started)
    return operation


def _make_steps(operation: Operation, status: str, started: datetime) -> list[OperationStep]:
    reached = {"completed": len(STEPS), "failed": FAILED_AT, "running": 9, "cancelled": 7}[status]
    steps, moment = [], started
    for index, (name, title) in enumerate(STEPS):
        step = OperationStep(operation=operation, position=index + 1, name=name, title=title)
        if index < reached:
            step.status = "skipped" if index == 3 else "completed"
            step.skipped_reason = "The project has no module repositories." if index == 3 else ""
            step.started_at, moment = moment, moment + timedelta(seconds=SECONDS[index])
            step.finished_at, step.attempt = moment, 2 if index == 7 else 1
        elif index == reached:
            step.status, step.started_at, step.attempt = status, moment, 1
            if status == "failed":
                step.finished_at = moment + timedelta(seconds=8)
                step.error = "The module agency_sale cannot be loaded."
                step.hint = "Correct the line that the traceback names, push, deploy again. What ran before still runs."
                step.who, step.last_lines = "user", TRACEBACK
            if status == "running":
                step.progress_done, step.progress_total, step.progress_unit = 96, 214, "modules"
        elif status == "cancelled":
            step.status = "cancelled"
        steps.append(step)
    return OperationStep.objects.bulk_create(steps)


def add_lines(operation: Operation, steps: list[OperationStep], count: int, started: datetime) -> None:
    """Adds `count` log lines to the steps that began, most of them to the longest."""
    begun = [step for step in steps if step.started_at]
    levels = ["INFO"] * 14 + ["DEBUG"] * 4 + ["WARNING", "ERROR"]
    chance = random.Random(7)
    first = operation.log_sequence
    LogLine.objects.bulk_create(
        (
            LogLine(
                operation=operation,
                step=begun[min(len(begun) - 1, (number * len(begun)) // count)],
                sequence=first + number + 1,
                level=chance.choice(levels),
                text=chance.choice(LOREM).format(n=number),
                created_at=started + timedelta(milliseconds=200 * number),
            )
            for number in range(count)
        ),
        batch_size=5000,
    )
    operation.log_sequence = first + count
    Operation.objects.filter(pk=operation.pk).update(log_sequence=operation.log_sequence)
