"""What may be done in each state: the whole table, every state against every action."""

from __future__ import annotations

import pytest

from apps.core.exceptions import Conflict
from apps.environments import states
from apps.environments.models import Environment, Status

ACTIONS = ["deploy", "start", "stop", "pause", "resume", "restart", "redeploy", "destroy", "clone", "sync"]
ALLOWED = {
    "pending": "deploy destroy",
    "deploying": "",
    "running": "stop pause restart redeploy destroy clone sync",
    "stopped": "start redeploy destroy clone sync",
    "paused": "resume stop destroy",
    "cloning": "",
    "error": "redeploy destroy sync",
    "destroying": "",
    "deleted": "",
}


@pytest.mark.parametrize("action", [*ACTIONS, "purge", "explode", ""])
@pytest.mark.parametrize("status", Status.values)
def test_every_state_against_every_action(status, action):
    environment = Environment(name="shop-development-1", status=status)
    if action in ALLOWED[status].split():
        states.ensure_allowed(environment, action)
        return
    with pytest.raises(Conflict) as caught:
        states.ensure_allowed(environment, action)
    assert caught.value.code == "environments.action_not_allowed"
    assert caught.value.http_status == 409
    assert "shop-development-1" in caught.value.title
    assert states._REASONS[status] in caught.value.what_to_do


def test_the_table_has_every_state_and_no_other():
    assert set(states.ALLOWED_ACTIONS) == set(Status.values) == set(ALLOWED)


@pytest.mark.parametrize("status", Status.values)
def test_pages_show_every_action_with_its_reason(status):
    shown = {action.name: action for action in states.actions(Environment(status=status))}
    assert {name for name, action in shown.items() if action.allowed} == set(ALLOWED[status].split())
    assert len(shown) == len(ACTIONS) - 1
    assert all(action.reason for action in shown.values())


def test_deploying_again_is_a_redeployment():
    assert states.deploy_action(Environment(status="pending")) == "deploy"
    assert states.deploy_action(Environment(status="error")) == "redeploy"
