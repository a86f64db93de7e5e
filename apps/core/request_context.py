"""Who is asking, from where, by what: known to everything that happens within one request, without being passed on."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse


@dataclass
class RequestContext:
    """One request. `memory` is for what is asked of the database once for each request."""

    request: HttpRequest | None = None
    key_id: uuid.UUID | None = None
    key_name: str = ""
    # The member of staff who looks at the pages through the eyes of the person who is signed in.
    viewer: Any = None
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def person(self) -> Any:
        """Who is signed in; None for nobody, and before that is known."""
        user = getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @property
    def address(self) -> str | None:
        """Where the request comes from. A proxy's word for it counts only where the web server was told to trust the
        proxy (`FORWARDED_ALLOW_IPS`): headers are never read here."""
        return (self.request.META.get("REMOTE_ADDR") or None) if self.request is not None else None

    def by_key(self, key_id: uuid.UUID, name: str) -> None:
        """Says that the request is made with an API key."""
        self.key_id, self.key_name = key_id, name


_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def current() -> RequestContext | None:
    """The request that is being answered; None in tasks, commands and tests of services."""
    return _current.get()


@contextlib.contextmanager
def within(context: RequestContext) -> Iterator[RequestContext]:
    """Makes `context` the current one for a block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def remembered(name: str, load: Callable[[], Any]) -> Any:
    """What `load` returns, asked once for each request; outside of requests asked every time."""
    context = current()
    if context is None:
        return load()
    if name not in context.memory:
        context.memory[name] = load()
    return context.memory[name]


def forget(name: str) -> None:
    """The next question is asked of the database again."""
    context = current()
    if context is not None:
        context.memory.pop(name, None)


class RequestContextMiddleware:
    """Opens a context for each request, in sync and async chains."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self.is_async:
            return self._answer_async(request)
        with within(RequestContext(request)):
            return self.get_response(request)

    async def _answer_async(self, request: HttpRequest) -> HttpResponse:
        with within(RequestContext(request)):
            return await self.get_response(request)


request_context = RequestContextMiddleware
