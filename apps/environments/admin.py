"""Environments for platform staff: everything but secrets to be seen, and the same actions as in the portal."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.core.exceptions import Problem
from apps.environments import actions, variables
from apps.environments.models import Environment, EnvironmentVariable, RepositoryOverride

_SECRETS = ("database_password", "master_password", "admin_password", "admin_password_hash")


@admin.register(Environment)
class EnvironmentAdmin(ModelAdmin):
    """Settings are changed in the portal, which derives and checks what follows from them."""

    list_display = ("name", "organization_name", "environment_type", "status", "server", "host_name", "needs_redeploy")
    list_filter = ("status", "environment_type", "needs_redeploy")
    search_fields = ("=id", "name", "host_name", "project__name", "project__organization__name")
    list_select_related = ("project__organization", "server")
    exclude = _SECRETS
    actions = ("start", "stop", "restart", "sync", "redeploy", "purge")

    @admin.display(description="Organization", ordering="project__organization__name")
    def organization_name(self, environment: Environment) -> str:
        return environment.project.organization.name

    def get_readonly_fields(self, request: HttpRequest, obj: Environment | None = None) -> list[str]:
        """Everything that is shown."""
        return [field.name for field in Environment._meta.fields if field.name not in _SECRETS]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting the row would leave everything on the server without an owner."""
        return False

    @admin.action(description="Start")
    def start(self, request: HttpRequest, queryset: QuerySet[Environment]) -> None:
        self._ask(request, queryset, "start")

    @admin.action(description="Stop")
    def stop(self, request: HttpRequest, queryset: QuerySet[Environment]) -> None:
        self._ask(request, queryset, "stop")

    @admin.action(description="Restart")
    def restart(self, request: HttpRequest, queryset: QuerySet[Environment]) -> None:
        self._ask(request, queryset, "restart")

    @admin.action(description="Read the true state")
    def sync(self, request: HttpRequest, queryset: QuerySet[Environment]) -> None:
        self._ask(request, queryset, "sync")

    @admin.action(description="Deploy (again)")
    def redeploy(self, request: HttpRequest, queryset: QuerySet[Environment]) -> None:
        for environment in queryset:
            _tell(
                request,
                environment,
                lambda one=environment: actions.request_deployment(environment=one, actor=request.user),
            )

    @admin.action(description="Remove the data of destroyed ones for good")
    def purge(self, request: HttpRequest, queryset: QuerySet[Environment]) -> None:
        for environment in queryset:
            _tell(
                request, environment, lambda one=environment: actions.request_purge(environment=one, actor=request.user)
            )

    def _ask(self, request: HttpRequest, queryset: QuerySet[Environment], action: str) -> None:
        for environment in queryset:
            _tell(
                request,
                environment,
                lambda one=environment: actions.request_action(environment=one, action=action, user=request.user),
            )


class VariableForm(forms.ModelForm):
    """The value can be written, and is never shown."""

    new_value = forms.CharField(
        required=False, strip=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="It takes the old one's place."
    )

    class Meta:
        model = EnvironmentVariable
        fields = ("environment", "key", "kind", "sensitive")

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        try:
            variables.validate_key(data.get("key") or self.instance.key)
            variables.clean_value(data.get("kind", "string"), data.get("new_value", ""))
        except Problem as problem:
            raise ValidationError(f"{problem.title} {problem.what_to_do}") from problem
        return data


@admin.register(EnvironmentVariable)
class EnvironmentVariableAdmin(ModelAdmin):
    form = VariableForm
    fields = ("environment", "key", "kind", "sensitive", "new_value")
    list_display = ("key", "environment", "kind", "sensitive", "updated_at")
    list_filter = ("kind", "sensitive")
    search_fields = ("key", "environment__name")
    autocomplete_fields = ("environment",)
    list_select_related = ("environment",)

    def get_readonly_fields(self, request: HttpRequest, obj: EnvironmentVariable | None = None) -> tuple[str, ...]:
        return ("environment", "key") if obj else ()

    def save_model(self, request: HttpRequest, obj: EnvironmentVariable, form: forms.ModelForm, change: bool) -> None:
        data = form.cleaned_data
        try:
            saved = variables.set_variable(
                environment=obj.environment,
                key=obj.key,
                kind=data["kind"],
                value=data["new_value"],
                sensitive=data["sensitive"],
                actor=request.user,
            )
        except (Problem, ValidationError) as error:
            text = f"{error.title} {error.what_to_do}" if isinstance(error, Problem) else " ".join(error.messages)
            messages.error(request, f"Not saved. {text}")
        else:
            obj.pk, obj._state.adding = saved.pk, False

    def delete_model(self, request: HttpRequest, obj: EnvironmentVariable) -> None:
        variables.delete_variable(variable=obj, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[EnvironmentVariable]) -> None:
        for variable in queryset:
            variables.delete_variable(variable=variable, actor=request.user)


@admin.register(RepositoryOverride)
class RepositoryOverrideAdmin(ModelAdmin):
    """Changed in the portal, where the project's own branches stand beside it."""

    list_display = ("environment", "repository", "branch", "excluded", "updated_at")
    search_fields = ("environment__name", "repository__name", "branch")
    list_select_related = ("environment", "repository")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _tell(request: HttpRequest, environment: Environment, act: Any) -> None:
    try:
        act()
    except Problem as problem:
        messages.error(request, f"{environment}: {problem.title} {problem.what_to_do}")
    else:
        messages.success(request, f"{environment}: queued.")
