"""People: User, sign-in, sessions."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.accounts import sessions
from apps.accounts.models import Avatar, User
from apps.audit import services as audit

RECORDED = ("email", "display_name", "time_zone", "theme", "is_active", "verify_by", "is_staff", "is_superuser")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "display_name", "is_staff", "is_active", "verify_by", "last_login", "created_at")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "display_name")
    ordering = ("email",)
    readonly_fields = ("last_login", "created_at", "updated_at")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Profile", {"fields": ("display_name", "time_zone", "theme")}),
        ("Access", {"fields": ("is_active", "verify_by", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "created_at", "updated_at")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)
    actions = ("view_as", "end_sessions", "remove_second_factors")

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return request.user.has_perm("portal.users.view")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return request.user.has_perm("portal.users.manage")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("portal.users.manage")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A person is erased by their own wish, which looks at what they own; until then staff lock them out."""
        return False

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Who is staff, who is locked out, and every other change by staff stands in the trail."""
        fields = [name for name in form.changed_data if name in RECORDED]
        stored = User.objects.filter(pk=obj.pk).first() if change else None
        before = audit.snapshot(stored, fields) if stored else {}
        super().save_model(request, obj, form, change)
        action = "account.changed_by_staff" if change else "account.added_by_staff"
        audit.record(action=action, actor=request.user, target=obj, before=before, after=audit.snapshot(obj, fields))

    @admin.action(description="View the portal as this person", permissions=["view"])
    def view_as(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Leads to the page that asks for the reason."""
        person = queryset.first()
        if queryset.count() != 1 or person is None:
            self.message_user(request, "Choose one person.", messages.ERROR)
            return None
        return redirect(f"{reverse('admin:orgs_viewas_add')}?{urlencode({'email': person.email})}")

    def user_change_password(self, request: HttpRequest, *arguments: str, **parts: str) -> HttpResponse:
        """A password that staff give; Django ends the person's sessions with it."""
        response = super().user_change_password(request, *arguments, **parts)
        if request.method == "POST" and response.status_code == 302:
            user = self.get_object(request, (*arguments, *parts.values())[0])
            audit.record(action="account.password_given_by_staff", actor=request.user, target=user)
        return response

    @admin.action(description="End all sessions", permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        count = sum(sessions.end_all(user, actor=request.user, request=request) for user in queryset)
        self.message_user(request, f"{count} sessions were ended.")

    @admin.action(description="Remove second factors (their owner lost them)", permissions=["change"])
    def remove_second_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            count, _ = Authenticator.objects.filter(user=user).delete()
            sessions.end_all(user, actor=request.user, request=request)
            after = {"removed": count}
            action = "account.second_factor_removed_by_staff"
            audit.record(action=action, actor=request.user, target=user, after=after, request=request)
        self.message_user(request, "Removed; the people sign in by their password alone, and set up others.")


class LookedAt(ModelAdmin):
    """Staff look at it; what changes it is the person's own doing, or an action that is audited."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


for model in (EmailAddress, EmailConfirmation, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession):
    # allauth's own pages look for user names, and show seeds and session keys.
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(EmailAddress)
class EmailAddressAdmin(LookedAt):
    list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified", "primary")
    search_fields = ("email", "user__email")


@admin.register(Authenticator)
class AuthenticatorAdmin(LookedAt):
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__email",)
    fields = ("user", "type", "created_at", "last_used_at")


@admin.register(SocialAccount)
class SocialAccountAdmin(LookedAt):
    list_display = ("user", "provider", "uid", "last_login", "date_joined")
    list_filter = ("provider",)
    search_fields = ("user__email", "uid")
    fields = ("user", "provider", "uid", "last_login", "date_joined")


@admin.register(UserSession)
class UserSessionAdmin(LookedAt):
    list_display = ("user", "ip", "user_agent", "created_at", "last_seen_at")
    search_fields = ("user__email", "ip")
    fields = ("user", "ip", "user_agent", "created_at", "last_seen_at")

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        sessions.end(obj, actor=request.user, request=request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        for session in queryset:
            sessions.end(session, actor=request.user, request=request)


@admin.register(Avatar)
class AvatarAdmin(LookedAt):
    list_display = ("user", "created_at", "updated_at")
    search_fields = ("user__email",)
    fields = ("user", "created_at", "updated_at")
