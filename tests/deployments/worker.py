"""`python -m tests.deployments.worker OPERATION FILE`: works on one operation until it is over, however often its
worker is killed. Each worker is a fresh process, whose number stands in FILE."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def main(operation_id: str, file: Path) -> int:
    import django

    django.setup()
    # What a worker imports while it works is imported here once.
    from apps.deployments.pipelines import deploy  # noqa: F401

    while True:
        pid = os.fork()
        if pid == 0:
            try:
                file.write_text(str(os.getpid()))
                _work(operation_id)
            except BaseException:
                import traceback

                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            return os.WEXITSTATUS(status)


def _work(operation_id: str) -> None:
    from apps.operations.models import FINISHED, Operation
    from apps.operations.runner import run_operation

    while not Operation.objects.filter(pk=operation_id, status__in=FINISHED).exists():
        if not run_operation(operation_id):
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
