"""The page of any operation. One that is a deployment is shown as its deployment."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from apps.operations import access
from apps.operations.views import steps_context
from apps.portal.addresses import subject_address


@require_GET
@login_required
def operation(request: HttpRequest, operation_id: uuid.UUID) -> HttpResponse:
    """Steps and log, live."""
    found = access.get_operation_or_404(request.user, operation_id)
    deployment = getattr(found, "deployment", None)
    if deployment is not None:
        return redirect(deployment)
    context = steps_context(request, found) | {"subject": found.subject, "subject_url": subject_address(found.subject)}
    return render(request, "portal/operation.html", context)
