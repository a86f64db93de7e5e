"""What a certificate authority says when it says no, in its own words (RFC 7807 problem documents)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import josepy
import requests
from acme import errors, messages

from apps.core.exceptions import Problem
from apps.domains.order_failures import OrderFailed


def words_of(error: messages.Error) -> str:
    """`detail`, else `title`, else the type; the sub-problems with the name that each is about."""
    own = error.detail or error.title or error.description or str(error.typ)
    parts = [str(own).strip()]
    for entry in error.subproblems or ():
        name = f"{entry.identifier.value}: " if entry.identifier else ""
        parts.append(f"{name}{entry.detail or entry.title or entry.typ}")
    return " / ".join(parts) + f" ({error.typ})"


def validation_failure(authorizations: list[messages.AuthorizationResource]) -> OrderFailed:
    """The failure of an order whose authorizations are invalid."""
    names = tuple(dict.fromkeys(entry.body.identifier.value for entry in authorizations))
    found = [
        challenge.error
        for entry in authorizations
        for challenge in entry.body.challenges
        if challenge.error is not None
    ]
    words = "; ".join(dict.fromkeys(words_of(error) for error in found)) or "it gave no reason"
    kind = str(found[0].typ) if found else ""
    return OrderFailed.of(
        "domains.validation_failed", error_type=kind, failed_names=names, names=", ".join(names), words=words
    )


@contextlib.contextmanager
def in_our_words(directory_url: str) -> Iterator[None]:
    """Turns what the library raises into Problem `domains.acme_*`, keeping the authority's own words."""
    try:
        yield
    except messages.Error as error:
        code = "domains.acme_rate_limited" if error.code == "rateLimited" else "domains.acme_refused"
        kind, when = str(error.typ), "the time that it names"
        raise OrderFailed.of(code, error_type=kind, words=words_of(error), when=when) from error
    except requests.exceptions.SSLError as error:
        words = f"its TLS certificate is not trusted ({_innermost(error)})"
        raise Problem("domains.acme_unreachable", directory=directory_url, words=words) from error
    except requests.exceptions.Timeout as error:
        raise Problem("domains.acme_unreachable", directory=directory_url, words="no answer in time") from error
    except requests.exceptions.RequestException as error:
        raise Problem("domains.acme_unreachable", directory=directory_url, words=_innermost(error)) from error
    except (errors.Error, josepy.errors.Error, ValueError) as error:
        words = f"its answer is not understood ({error})"
        raise Problem("domains.acme_unreachable", directory=directory_url, words=words) from error


def _innermost(error: BaseException) -> str:
    """The library wraps the system's words several times, each time with its own class names."""
    seen: BaseException = error
    while True:
        reason = getattr(seen, "reason", None)
        inner = reason if isinstance(reason, BaseException) else None
        inner = inner or next((entry for entry in seen.args if isinstance(entry, BaseException)), None)
        inner = inner or seen.__cause__ or seen.__context__
        if inner is None or inner is seen:
            break
        seen = inner
    return str(getattr(seen, "strerror", None) or seen) or type(seen).__name__
