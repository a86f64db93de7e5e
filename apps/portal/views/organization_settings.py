"""The organization's own settings: name, address, looks, rules; ownership, and its end."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.exceptions import Problem
from apps.core.validators import validate_slug
from apps.orgs import leaving, members, profile
from apps.orgs.access import has_permission, require
from apps.orgs.models import Membership, Organization
from apps.orgs.querysets import get_visible_or_404
from apps.orgs.roles import Role


class OrganizationSettingsForm(forms.ModelForm):
    """What `profile.update_organization` changes."""

    slug = forms.CharField(
        label="Short name",
        max_length=40,
        validators=[validate_slug],
        help_text="Part of the addresses. After a change the old addresses lead to the new ones.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off"}),
    )
    colour = forms.CharField(
        required=False,
        max_length=7,
        help_text="Such as #2a5bd7. Links and buttons get it, in a shade that can be read on light and on dark.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "placeholder": "#2a5bd7"}),
    )

    class Meta:
        model = Organization
        fields = profile.FIELDS
        labels = {
            "require_second_factor": "Everybody needs a second factor",
            "audit_retention_days": "Keep the audit trail for (days)",
        }
        help_texts = {"require_second_factor": "Members without one set it up before they come in."}

    def clean_colour(self) -> str:
        return self.cleaned_data["colour"].strip().lower()


class LogoForm(forms.Form):
    """A picture for the head of the pages and the mails."""

    logo = forms.FileField(
        label="Picture",
        help_text="PNG, JPEG, WebP or GIF, at most 2 MB.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp,image/gif"}),
    )


class ConfirmationForm(forms.Form):
    """The organization's name, typed."""

    confirm_name = forms.CharField(
        label="Type the name to confirm",
        max_length=200,
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class OwnershipForm(ConfirmationForm):
    """Who becomes the Owner."""

    member = forms.ModelChoiceField(Membership.objects.none(), label="New Owner", empty_label="Choose a member")
    field_order = ("member", "confirm_name")

    def __init__(self, *arguments: object, organization: Organization, **more: object) -> None:
        super().__init__(*arguments, **more)
        rows = Membership.objects.filter(organization=organization, user__is_active=True).exclude(role=Role.OWNER)
        self.fields["member"].queryset = rows.select_related("user").order_by("user__email")
        self.fields["member"].label_from_instance = lambda row: f"{row.user} ({row.user.email})"


@require_http_methods(["GET", "POST"])
@login_required
def organization_settings(request: HttpRequest, organization: str) -> HttpResponse:
    """Name, short name, colour, rules; the logo and the end stand beside it."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.view", found)
    may_update = has_permission(request.user, "org.update", found)
    form = OrganizationSettingsForm(request.POST or None, instance=found)
    if request.method == "POST":
        require(request.user, "org.update", found)
        if form.is_valid():
            try:
                changed = profile.update_organization(organization=found, actor=request.user, **form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error.messages)
            except Problem as problem:
                form.add_error("slug", f"{problem.title} {problem.what_to_do}")
            else:
                messages.success(request, "The settings are changed.")
                return redirect("portal:organization_settings", changed.slug)
        found.refresh_from_db()
    context = {
        "organization": found,
        "form": form,
        "logo_form": LogoForm(),
        "may_update": may_update,
        "may_delete": has_permission(request.user, "org.delete", found),
    }
    return render(request, "orgs/settings.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def logo(request: HttpRequest, organization: str) -> HttpResponse:
    """Sets the logo, or takes it away."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.update", found)
    if request.POST.get("remove"):
        profile.remove_logo(organization=found, actor=request.user)
        messages.success(request, "The logo is removed.")
        return redirect("portal:organization_settings", organization)
    form = LogoForm(request.POST, request.FILES)
    try:
        if form.is_valid():
            profile.set_logo(organization=found, upload=form.cleaned_data["logo"], actor=request.user)
            messages.success(request, "The logo is changed.")
    except ValidationError as error:
        form.add_error("logo", error.message_dict["logo"])
    for error in form.errors.get("logo", []):
        messages.error(request, error)
    return redirect("portal:organization_settings", organization)


@require_http_methods(["GET", "POST"])
@login_required
def ownership(request: HttpRequest, organization: str) -> HttpResponse:
    """Hands the ownership to another member."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.ownership.transfer", found)
    form = OwnershipForm(request.POST or None, organization=found)
    if form.is_valid():
        try:
            heir = members.transfer_ownership(
                organization=found,
                to=form.cleaned_data["member"],
                confirmation=form.cleaned_data["confirm_name"],
                actor=request.user,
            )
        except Problem as problem:
            form.add_error("confirm_name", f"{problem.title} {problem.what_to_do}")
        else:
            messages.success(request, f"{heir.user} is the Owner of {found.name} now.")
            return redirect("orgs:members", organization)
    context = {"organization": found, "form": form}
    return render(request, "orgs/ownership.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@login_required
def deletion(request: HttpRequest, organization: str) -> HttpResponse:
    """Says what is in the way and what will be gone; then it can be wished for."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.delete", found)
    form = ConfirmationForm(request.POST or None)
    if form.is_valid():
        try:
            gone = leaving.request_deletion(
                organization=found, confirmation=form.cleaned_data["confirm_name"], actor=request.user
            )
        except Problem as problem:
            form.add_error("confirm_name", f"{problem.title} {problem.what_to_do}")
        else:
            messages.warning(request, f"{gone.name} will be deleted on {gone.delete_after:%Y-%m-%d}.")
            return redirect("portal:organization_settings", organization)
    context = {"organization": found, "form": form, "objections": leaving.objections(found)}
    return render(request, "orgs/deletion.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def keep(request: HttpRequest, organization: str) -> HttpResponse:
    """Takes the wish to delete it back."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.delete", found)
    leaving.keep(organization=found, actor=request.user)
    messages.success(request, f"{found.name} stays.")
    return redirect("portal:organization_settings", organization)
