"""Threads that read the logs of environments: a server that answers slowly keeps its own organization waiting."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from django.db import connections

Result = TypeVar("Result")


class LogReaders(Generic[Result]):
    """So many threads, and so many of them at once for one organization. Nothing waits in line for them."""

    def __init__(self, threads: int, *, per_organization: int) -> None:
        self.threads, self.per_organization = threads, per_organization
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="environment-log")
        self._busy: Counter[uuid.UUID] = Counter()
        self._lock = threading.Lock()

    def start(self, organization_id: uuid.UUID, read: Callable[[], Result]) -> Future[Result] | None:
        """Calls `read` in a thread; None where there is no room."""
        with self._lock:
            if self._busy[organization_id] >= self.per_organization or self._busy.total() >= self.threads:
                return None
            self._busy[organization_id] += 1

        def work() -> Result:
            try:
                return read()
            finally:
                connections.close_all()
                self._leave(organization_id)

        return self._pool.submit(work)

    def _leave(self, organization_id: uuid.UUID) -> None:
        with self._lock:
            self._busy[organization_id] -= 1
            self._busy += Counter()  # without those that have none
