"""What can go wrong on the way to a server, and with a command there."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.exceptions import Problem, RetryableError

# What is shown of a failed command, in characters.
_LAST_WORDS, _LONGEST_LINE = 16 * 1024, 1000


class ConnectionLost(Problem, RetryableError):
    """The way to the server failed, not the server: the engine tries again. Shown with its own text all the same."""

    def __init__(self, code: str, **context: object) -> None:
        # Many errors of the libraries have no text.
        if "reason" in context:
            context["reason"] = str(context["reason"] or "") or "it was cut"
        super().__init__(code, **context)


@dataclass(frozen=True)
class CommandResult:
    """How a command ended, with what it printed."""

    exit_code: int
    stdout: str
    stderr: str


class CommandFailed(Problem):
    """A command ended with an exit code other than 0. `result` has what it printed."""

    result: CommandResult

    @classmethod
    def of(cls, command: str, result: CommandResult) -> CommandFailed:
        """The failure of `command` (its program's name: arguments may hold what should not be shown)."""
        said = result.stderr[-_LAST_WORDS:].strip() or result.stdout[-_LAST_WORDS:].strip() or "nothing"
        output = " / ".join(line[:_LONGEST_LINE] for line in said.splitlines()[-5:])
        failure = cls("servers.command_failed", command=command, exit_code=result.exit_code, output=output)
        failure.result = result
        return failure
