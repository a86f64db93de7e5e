"""Invitations: the list with their codes, and what is done with them. It stands here because it names projects."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.exceptions import Problem
from apps.core.fields import unreadable
from apps.orgs import invitations, readers
from apps.orgs.access import require
from apps.orgs.invitation_mails import send_invitation
from apps.orgs.models import Invitation, Organization
from apps.orgs.models.invitations import MOST_USES
from apps.orgs.querysets import get_visible_or_404
from apps.orgs.roles import Role
from apps.orgs.views.members import assignable_roles
from apps.projects.models import Project

PAGE_SIZE = 50


class InvitationForm(forms.Form):
    """By mail when there is an address; a code to hand on when there is none."""

    email = forms.EmailField(
        label="E-mail address", required=False, help_text="Left empty, you get a code and a link to hand on yourself."
    )
    role = forms.ChoiceField(initial=Role.DEVELOPER)
    days = forms.IntegerField(
        label="Valid for (days)", initial=7, min_value=invitations.SHORTEST_DAYS, max_value=invitations.LONGEST_DAYS
    )
    max_uses = forms.IntegerField(
        label="For how many people",
        initial=1,
        min_value=1,
        max_value=MOST_USES,
        help_text="An invitation by mail: one.",
    )
    projects = forms.ModelMultipleChoiceField(
        Project.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Developers work on the projects of their teams, and on those that you tick here.",
    )
    message = forms.CharField(required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *arguments: Any, roles: list[Role], projects: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.fields["role"].choices = [(role.value, role.label) for role in roles]
        self.fields["projects"].queryset = projects


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def invitation_list(request: HttpRequest, organization: str) -> HttpResponse:
    """Invitations, the newest first; the form makes one."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.members.manage", found)
    projects = Project.objects.visible_to(request.user).filter(organization=found)
    form = InvitationForm(request.POST or None, roles=assignable_roles(request.user, found), projects=projects)
    if request.method == "POST" and form.is_valid():
        try:
            invitation = invitations.invite(organization=found, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        except Problem as problem:
            form.add_error(None, f"{problem.title} {problem.what_to_do}")
        else:
            _tell(request, invitation)
            return redirect("portal:invitations", found.slug)
    context = {"organization": found, "form": form, **_list(request, found)}
    return render(request, "orgs/invitations.html", context, status=422 if form.errors else 200)


def _list(request: HttpRequest, organization: Organization) -> dict[str, Any]:
    readers.settle(organization.pk)
    rows = Invitation.objects.filter(organization=organization).select_related("invited_by", "organization")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    wanted = {key for invitation in page for key in invitation.project_ids}
    projects = Project.objects.visible_to(request.user).filter(organization=organization, pk__in=wanted)
    names = dict(projects.values_list("pk", "name"))
    for invitation in page:
        invitation.project_names = [names[key] for key in invitation.project_ids if key in names]
        invitation.is_lost = bool(unreadable(invitation))
        invitation.may_see = readers.may_see(request.user, invitation)
        may_use = readers.may_use(request.user, invitation)
        invitation.may_renew = invitation.state in ("pending", "expired") and may_use
        if invitation.may_see:
            invitation.link = request.build_absolute_uri(reverse("orgs:join", args=[invitation.link_token]))
    readers.note([invitation for invitation in page if invitation.may_see], request.user)
    return {"page": page, "has_over": Invitation.objects.filter(organization=organization).over().exists()}


@require_POST
@login_required
def resend(request: HttpRequest, organization: str, invitation_id: uuid.UUID) -> HttpResponse:
    """Makes it valid for another week, and sends the mail again."""
    invitation = _invitation(request, organization, invitation_id)
    require(request.user, "org.members.manage", invitation.organization)
    invitation = invitations.renew(invitation=invitation, actor=request.user)
    _tell(request, invitation)
    return redirect("portal:invitations", organization)


@require_POST
@login_required
def revoke(request: HttpRequest, organization: str, invitation_id: uuid.UUID) -> HttpResponse:
    """From now on it lets nobody in."""
    invitation = _invitation(request, organization, invitation_id)
    require(request.user, "org.members.manage", invitation.organization)
    invitations.revoke(invitation=invitation, actor=request.user)
    messages.success(request, "The invitation is revoked.")
    return redirect("portal:invitations", organization)


@require_POST
@login_required
def clean_up(request: HttpRequest, organization: str) -> HttpResponse:
    """Forgets what lets nobody in any more."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.members.manage", found)
    count = invitations.clean_up(organization=found, actor=request.user)
    messages.success(request, f"{count} invitation{'' if count == 1 else 's'} forgotten.")
    return redirect("portal:invitations", organization)


def _invitation(request: HttpRequest, organization: str, invitation_id: uuid.UUID) -> Invitation:
    rows = Invitation.objects.select_related("organization")
    return get_visible_or_404(rows, request.user, organization__slug=organization, pk=invitation_id)


def _tell(request: HttpRequest, invitation: Invitation) -> None:
    """Sends the mail, outside of the transaction. With a mail server that is away, the link can still be copied."""
    if not invitation.email:
        messages.success(request, "The invitation stands. Hand its code or its link on.")
        return
    if send_invitation(invitation, request.user):
        messages.success(request, f"The invitation was sent to {invitation.email}.")
    else:
        messages.warning(request, "The mail could not be sent now. Copy the link, or send it again later.")
