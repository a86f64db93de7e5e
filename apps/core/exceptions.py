"""Expected failures: what went wrong, what to do about it, and who can."""

from __future__ import annotations

from dataclasses import dataclass

USER = "user"
SERVER_ADMINISTRATOR = "server administrator"
PLATFORM_STAFF = "platform staff"


@dataclass(frozen=True)
class Message:
    """The texts of one problem; `{placeholders}` are filled from the problem's context."""

    title: str
    what_to_do: str
    who: str = USER
    http_status: int = 422


_messages: dict[str, Message] = {}


def register(messages: dict[str, Message]) -> None:
    """Adds an app's messages; a code can be registered once only."""
    for code, message in messages.items():
        known = _messages.setdefault(code, message)
        if known != message:
            raise ValueError(f"The problem {code} is registered twice.")


def registered_messages() -> dict[str, Message]:
    """All messages by code."""
    return dict(_messages)


class _Context(dict):
    def __missing__(self, key: str) -> str:
        return f"({key})"


class Problem(Exception):
    """An expected failure. Pages, the API and failed steps show `title` and `what_to_do` just as they are."""

    def __init__(self, code: str, **context: object) -> None:
        self.code = code
        self.context = {name: str(value) for name, value in context.items()}
        self.message = _messages[code]
        super().__init__(self.title)

    @property
    def title(self) -> str:
        return self.message.title.format_map(_Context(self.context))

    @property
    def what_to_do(self) -> str:
        return self.message.what_to_do.format_map(_Context(self.context))

    @property
    def who(self) -> str:
        return self.message.who

    @property
    def http_status(self) -> int:
        return self.message.http_status

    def __reduce__(self):
        return _rebuild, (type(self), self.code, self.context)


class Conflict(Problem):
    """The object is in a state, or busy with an operation, that does not allow this now."""

    @property
    def http_status(self) -> int:
        return 409


class RetryableError(Exception):
    """A failure of the way to something, not of the thing: trying again may help."""


def _rebuild(kind: type[Problem], code: str, context: dict[str, str]) -> Problem:
    return kind(code, **context)
