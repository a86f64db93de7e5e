"""What may be done to an environment in each of its states. Any other action is refused, with the reason.

| status     | terminal? | actions                                               |
|------------|-----------|-------------------------------------------------------|
| pending    | no        | deploy, destroy                                       |
| deploying  | no        | none: a deployment is under way                       |
| running    | no        | stop, pause, restart, redeploy, destroy, clone, sync  |
| stopped    | no        | start, redeploy, destroy, clone, sync                 |
| paused     | no        | resume, stop, destroy                                 |
| cloning    | no        | none: its data is being copied                        |
| error      | no        | redeploy, destroy, sync                               |
| destroying | no        | none                                                  |
| deleted    | yes       | none: the platform purges it after the grace period   |

Until that happens a deleted one can be brought back as a whole (`restoring.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.exceptions import Conflict
from apps.environments.models import Environment, Status

ACTIONS = (
    ("deploy", "Deploy"),
    ("start", "Start"),
    ("resume", "Resume"),
    ("redeploy", "Redeploy"),
    ("restart", "Restart"),
    ("pause", "Pause"),
    ("stop", "Stop"),
    ("clone", "Clone"),
    ("sync", "Read the true state"),
    ("destroy", "Destroy"),
)
ALLOWED_ACTIONS: dict[str, frozenset[str]] = {
    Status.PENDING: frozenset({"deploy", "destroy"}),
    Status.DEPLOYING: frozenset(),
    Status.RUNNING: frozenset({"stop", "pause", "restart", "redeploy", "destroy", "clone", "sync"}),
    Status.STOPPED: frozenset({"start", "redeploy", "destroy", "clone", "sync"}),
    Status.PAUSED: frozenset({"resume", "stop", "destroy"}),
    Status.CLONING: frozenset(),
    Status.ERROR: frozenset({"redeploy", "destroy", "sync"}),
    Status.DESTROYING: frozenset(),
    Status.DELETED: frozenset(),
}
# Settings and the allocation may be changed while nothing else changes the environment.
EDITABLE = frozenset({Status.PENDING, Status.RUNNING, Status.STOPPED, Status.PAUSED, Status.ERROR})

_REASONS = {
    Status.PENDING: "It was never deployed.",
    Status.DEPLOYING: "A deployment is under way.",
    Status.RUNNING: "It is running.",
    Status.STOPPED: "It is stopped.",
    Status.PAUSED: "It is paused.",
    Status.CLONING: "Its data is being copied.",
    Status.ERROR: "Its last operation failed.",
    Status.DESTROYING: "It is being destroyed.",
    Status.DELETED: "It was destroyed.",
}
_TITLES = dict(ACTIONS)


@dataclass(frozen=True)
class Action:
    """One action as a page shows it: allowed, or disabled with the reason."""

    name: str
    title: str
    allowed: bool
    reason: str


def is_allowed(status: str, action: str) -> bool:
    """True when the action may be asked for in this state."""
    return action in ALLOWED_ACTIONS[status]


def ensure_allowed(environment: Environment, action: str) -> None:
    """Raises Conflict `environments.action_not_allowed` unless the state allows the action."""
    if not is_allowed(environment.status, action):
        allowed = [_TITLES[name].lower() for name, _ in ACTIONS if name in ALLOWED_ACTIONS[environment.status]]
        raise Conflict(
            "environments.action_not_allowed",
            action=_TITLES.get(action, action).lower(),
            environment=environment.name,
            reason=_REASONS[environment.status],
            allowed=", ".join(allowed) or "none",
        )


def ensure_editable(environment: Environment) -> None:
    """Raises Conflict `environments.not_editable` while something else changes the environment."""
    if environment.status not in EDITABLE:
        raise Conflict("environments.not_editable", environment=environment.name, reason=_REASONS[environment.status])


def deploy_action(environment: Environment) -> str:
    """What the button Deploy means: the first deployment, or another one."""
    return "deploy" if environment.status == Status.PENDING else "redeploy"


def actions(environment: Environment) -> list[Action]:
    """Every action, in the order of the pages. The first deployment and later ones share one button."""
    hidden = {"redeploy"} if environment.status == Status.PENDING else {"deploy"}
    reason = _REASONS[environment.status]
    return [
        Action(name, title, is_allowed(environment.status, name), reason)
        for name, title in ACTIONS
        if name not in hidden
    ]
