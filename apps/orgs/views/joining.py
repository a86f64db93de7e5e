"""Coming into an organization: by the link of an invitation, or by its code."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core.exceptions import Problem
from apps.orgs import guessing, invitations
from apps.orgs.models import Membership


class CodeForm(forms.Form):
    """The six characters of an invitation."""

    code = forms.CharField(
        label="Invitation code",
        max_length=20,
        help_text="Six letters and digits, as somebody of the organization gave them to you.",
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def by_code(request: HttpRequest) -> HttpResponse:
    """Asks for a code, and leads to its invitation. Wrong codes are counted, per person and per address."""
    form = CodeForm(request.POST or None)
    status = 200
    if form.is_valid():
        address = request.META.get("REMOTE_ADDR", "")
        try:
            guessing.ensure_may_try(request.user, address)
            found = invitations.find_by_code(form.cleaned_data["code"])
            if found is None:
                raise Problem("orgs.invitation_unknown")
        except Problem as problem:
            form.add_error("code", f"{problem.title} {problem.what_to_do}")
            status = problem.http_status
        else:
            guessing.take_back(request.user, address)
            return redirect("orgs:join", found.link_token)
    elif form.errors:
        status = 422
    return render(request, "orgs/join_code.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@never_cache
def by_link(request: HttpRequest, link_token: str) -> HttpResponse:
    """Says who invites where; a person who is signed in can accept."""
    invitation = invitations.find_by_link(link_token)
    if invitation is None:
        problem = Problem("orgs.invitation_unknown")
        return render(request, "orgs/join.html", {"problem": problem}, status=problem.http_status)
    if request.method == "POST":
        if not request.user.is_authenticated:
            return redirect("orgs:join", link_token)
        membership = invitations.accept(invitation=invitation, user=request.user)
        messages.success(request, f"Welcome to {membership.organization.name}.")
        return redirect(membership.organization)
    user = request.user
    context = {
        "invitation": invitation,
        "organization": invitation.organization,
        "is_member": user.is_authenticated
        and Membership.objects.filter(organization=invitation.organization, user=user).exists(),
        "is_for_another": bool(invitation.email)
        and user.is_authenticated
        and not invitations.has_verified(user, invitation.email),
    }
    return render(request, "orgs/join.html", context)
