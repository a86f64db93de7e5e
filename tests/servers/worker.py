"""A worker that works on one operation: `python -m tests.servers.worker OPERATION_ID`."""

from __future__ import annotations

import sys

import django


def main(operation_id: str) -> None:
    django.setup()
    # Only now, when the apps are there.
    from apps.operations.pipeline import register
    from apps.operations.runner import run_operation
    from tests.servers.jobs_pipeline import PIPELINE

    register(PIPELINE)
    run_operation(operation_id)


if __name__ == "__main__":
    main(sys.argv[1])
