"""Support access and views through a person's eyes, for staff: begun and ended here, never edited. They stand here
because what is begun here goes on in the portal's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.models import User
from apps.core.admin_pages import ServiceAdmin
from apps.orgs import support, view_as
from apps.orgs.models import Organization, SupportAccess, ViewAs
from apps.portal.viewing import SESSION_KEY

CODE = "portal.support"
DURATIONS = ((60, "1 hour"), (240, "4 hours"), (24 * 60, "1 day"), (7 * 24 * 60, "7 days"))


class SupportAccessForm(forms.ModelForm):
    """The organization is named by its short name: staff without consent have no list to choose from."""

    slug = forms.SlugField(label="Organization (short name)", widget=UnfoldAdminTextInputWidget())
    kind = forms.ChoiceField(choices=SupportAccess.Kind.choices, widget=UnfoldAdminSelectWidget())
    minutes = forms.TypedChoiceField(
        label="For how long", choices=DURATIONS, coerce=int, widget=UnfoldAdminSelectWidget()
    )
    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextInputWidget(),
        help_text="The Owner reads it. An emergency opens at once, for 4 hours at most, and the Owner is told by mail.",
    )

    class Meta:
        model = SupportAccess
        fields = ("kind", "reason", "minutes")

    def clean_slug(self) -> str:
        """There is such an organization."""
        self.organization = Organization.objects.filter(slug=self.cleaned_data["slug"]).first()
        if self.organization is None:
            raise ValidationError("There is no organization of this short name.")
        return self.cleaned_data["slug"]


class ViewAsForm(forms.ModelForm):
    """Whom to look as, and why."""

    email = forms.EmailField(label="E-mail of the person", widget=UnfoldAdminEmailInputWidget())
    reason = forms.CharField(
        max_length=500, widget=UnfoldAdminTextInputWidget(), help_text="Stands in the organization's audit trail."
    )

    class Meta:
        model = ViewAs
        fields = ("reason",)

    def clean_email(self) -> str:
        """There is such a person."""
        self.person = User.objects.filter(email__iexact=self.cleaned_data["email"]).first()
        if self.person is None:
            raise ValidationError("Nobody has this address.")
        return self.cleaned_data["email"]


class Begun(ServiceAdmin):
    """Rows that a service makes from a form, and that are only looked at afterwards."""

    add_fields: tuple[str, ...] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.add_fields if obj is None else tuple(field.name for field in self.model._meta.fields)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        """The form as it is written: some of its fields are none of the model's."""
        return self.form if obj is None else super().get_form(request, obj, change=change, **options)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str]:
        return {name: request.GET[name] for name in self.add_fields if name in request.GET}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CODE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(CODE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CODE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SupportAccess)
class SupportAccessAdmin(Begun):
    form = SupportAccessForm
    add_fields = ("slug", "kind", "reason", "minutes")
    list_display = ("organization", "staff", "kind", "state", "reason", "created_at", "expires_at", "ended_at")
    list_filter = ("kind",)
    search_fields = ("organization__name", "organization__slug", "staff__email", "reason")
    list_select_related = ("organization", "staff")
    actions = ("end_selected",)

    def create(self, request: HttpRequest, obj: SupportAccess, form: SupportAccessForm) -> SupportAccess:
        """A request, or the way in at once."""
        data = form.cleaned_data
        service = support.take_in_emergency if data["kind"] == SupportAccess.Kind.EMERGENCY else support.ask
        return service(
            organization=form.organization, staff=request.user, reason=data["reason"], minutes=data["minutes"]
        )

    @admin.action(description="End, or take back", permissions=["view"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet[SupportAccess]) -> None:
        for access in queryset:
            support.end(access=access, actor=request.user)
        messages.success(request, "What was selected is over.")


@admin.register(ViewAs)
class ViewAsAdmin(Begun):
    form = ViewAsForm
    add_fields = ("email", "reason")
    list_display = ("staff", "person", "reason", "created_at", "expires_at", "ended_at")
    search_fields = ("staff__email", "person__email", "reason")
    list_select_related = ("staff", "person")
    actions = ("end_selected",)

    def create(self, request: HttpRequest, obj: ViewAs, form: ViewAsForm) -> ViewAs:
        """Half an hour through the person's eyes, in this browser."""
        return view_as.begin(staff=request.user, person=form.person, reason=form.cleaned_data["reason"])

    def response_add(self, request: HttpRequest, obj: ViewAs, post_url_continue: str | None = None) -> HttpResponse:
        request.session[SESSION_KEY] = str(obj.pk)
        return redirect("/")

    @admin.action(description="End", permissions=["view"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet[ViewAs]) -> None:
        for view in queryset:
            view_as.end(view)
        messages.success(request, "What was selected is over.")
