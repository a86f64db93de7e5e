"""The one question, in front of a view."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse

from apps.orgs.access import require
from apps.orgs.models import Organization
from apps.orgs.querysets import get_visible_or_404

Finder = Callable[..., Any]
View = Callable[..., HttpResponse]


def find_organization(user: Any, *, organization: str) -> Organization:
    """The organization of the address. Raises Http404 to a stranger."""
    return get_visible_or_404(Organization, user, slug=organization)


def require_permission(code: str, find: Finder = find_organization, *, write: str = "") -> Callable[[View], View]:
    """Lets in who is signed in (others are led to the sign-in), who may see the object (others get 404), and who has
    `code` on it (others get 403); `write` is asked instead for what changes something (all but GET and HEAD).

    `find(user, **parts_of_the_address)` gives the object, the address's organization unless another is named. The view
    gets it as its second argument, in place of the parts.
    """

    def decorate(view: View) -> View:
        @login_required
        @functools.wraps(view)
        def guarded(request: HttpRequest, **parts: Any) -> HttpResponse:
            found = find(request.user, **parts)
            require(request.user, write if write and request.method not in ("GET", "HEAD") else code, found)
            return view(request, found)

        return guarded

    return decorate
