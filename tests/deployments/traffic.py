"""Visitors who keep coming, to see whether any of them is turned away."""

from __future__ import annotations

import threading
from typing import Any

import requests

from apps.environments.models import Environment
from tests.deployments.odoo import Visitor


class Traffic:
    """One request every so many seconds while the block lasts, one after the other."""

    def __init__(self, environment: Environment, path: str, *, every: float) -> None:
        self._visitor = Visitor(environment)
        self._path, self._every = path, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)
        self.asked = 0
        self.failures: list[Any] = []

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=60)

    def _go(self) -> None:
        while not self._stop.wait(self._every):
            self.asked += 1
            try:
                answer = self._visitor.get(self._path)
            except requests.RequestException as error:
                self.failures.append(error)
            else:
                if answer.status_code >= 400:
                    self.failures.append(answer.status_code)
