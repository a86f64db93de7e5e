"""A pipeline of one step that runs a container job, for the tests of container jobs."""

from __future__ import annotations

from apps.core.exceptions import Problem
from apps.operations.pipeline import Pipeline, Step
from apps.servers.host.jobs import run_container_job
from apps.servers.pipelines.context import ServerContext, open_server

KIND = "test.container_job"


def work(context: ServerContext) -> None:
    parameters = context.run.parameters
    exit_code = run_container_job(
        context.host,
        context.run,
        name="count",
        image=parameters.get("image", "lab/busybox"),
        command=["/bin/busybox", "sh", "-c", parameters["script"]],
        memory=parameters.get("memory"),
        timeout=parameters.get("timeout", 120),
        line_level=lambda text: "ERROR" if text.startswith("error") else "INFO",
    )
    context.run.remember(exit_code=exit_code)
    if exit_code:
        raise Problem("servers.command_failed", command="count", exit_code=exit_code, output="see the log")


PIPELINE = Pipeline(
    kind=KIND,
    title="Count in a container",
    open_context=open_server,
    view_code="org.servers.list",
    cancel_code="org.servers.update",
    steps=(Step("work", "Work", work, timeout=120, survives="container"),),
)
