"""A real Odoo 19 from nothing, through all sixteen steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.environments.models import Environment, Status
from tests.cast import Cast
from tests.deployments.conftest import deploy, statuses, story

pytestmark = [pytest.mark.lab]


@pytest.mark.slow
def test_cold_and_seeded(cast: Cast, make_environment: Callable[..., Environment], repository: Any) -> None:
    """The first environment installs Odoo, the second starts from what was kept of it."""
    first = make_environment(repository=repository)
    deployment = deploy(first, cast.alice)
    print(story(deployment.operation))
    assert deployment.status == "success"
    assert first.status == Status.RUNNING
    second = make_environment(repository=repository)
    deployment = deploy(second, cast.alice)
    print(story(deployment.operation))
    assert deployment.status == "success"
    assert statuses(deployment)["install_base"] == "skipped"
