"""What people enter about environments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from apps.core.validators import validate_git_reference, validate_plain_text, validate_variable_name
from apps.environments import allocation
from apps.environments.models import Environment, EnvironmentType, EnvironmentVariable, PoolMode
from apps.environments.tuning import TUNED
from apps.projects.models import Project
from apps.servers.models import Server

_CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
GIGABYTE = 1024


class AllocationFields(forms.Form):
    """CPU, memory and disk, in the units that people think in."""

    cpu = forms.DecimalField(
        label="CPU cores", min_value=allocation.MINIMUM_CPU, max_value=128, max_digits=5, decimal_places=2
    )
    memory_gigabytes = forms.DecimalField(
        label="Memory (GB)", min_value=Decimal("0.5"), max_value=1024, max_digits=7, decimal_places=2
    )
    disk_gigabytes = forms.DecimalField(label="Disk (GB)", min_value=1, max_value=65536, max_digits=8, decimal_places=2)

    def allocation_values(self) -> dict[str, Any]:
        """What the services take; fields that were left empty are left out."""
        data = self.cleaned_data
        values = {
            "cpu": data.get("cpu"),
            "memory_megabytes": _megabytes(data.get("memory_gigabytes")),
            "disk_megabytes": _megabytes(data.get("disk_gigabytes")),
        }
        return {name: value for name, value in values.items() if value is not None}


class EnvironmentForm(AllocationFields):
    """A new environment. Everything but the type has a good default."""

    environment_type = forms.ChoiceField(
        label="Type", choices=EnvironmentType.choices, initial=EnvironmentType.DEVELOPMENT, widget=forms.RadioSelect
    )
    server = forms.ModelChoiceField(Server.objects.none(), required=False, empty_label="Later")
    branch = forms.CharField(
        max_length=200, required=False, validators=[validate_git_reference], widget=forms.TextInput(attrs=_CODE)
    )
    name = forms.CharField(
        max_length=80, required=False, validators=[validate_plain_text], help_text="Left empty, it is made for you."
    )
    use_pgbouncer = forms.BooleanField(label="Pool database connections (PgBouncer)", required=False, initial=True)
    demo_data = forms.BooleanField(label="Load Odoo's demo data", required=False)
    auto_deploy = forms.BooleanField(label="Deploy on every push", required=False)
    deploy = forms.BooleanField(label="Deploy now", required=False, initial=True)
    field_order = ("environment_type", "server", "branch", "name", "cpu", "memory_gigabytes", "disk_gigabytes")

    def __init__(self, *arguments: Any, project: Project, **details: Any) -> None:
        super().__init__(*arguments, **details)
        self.project = project
        servers = Server.objects.filter(organization=project.organization_id)
        self.fields["server"].queryset = servers
        ready = [server for server in servers if server.is_ready]
        if len(ready) == 1:
            self.fields["server"].initial = ready[0]
        self.fields["branch"].widget.attrs["placeholder"] = project.default_branch
        for name in ("cpu", "memory_gigabytes", "disk_gigabytes"):
            self.fields[name].required = False
            self.fields[name].help_text = "Left empty, the type's default."

    def clean(self) -> dict[str, Any]:
        """A deployment needs a server."""
        data = super().clean()
        if data.get("deploy") and not data.get("server"):
            self.add_error("server", "Choose a server, or leave the deployment for later.")
        return data

    def values(self) -> dict[str, Any]:
        """What `create_environment` takes."""
        names = ("environment_type", "server", "branch", "name", "use_pgbouncer", "demo_data", "auto_deploy")
        return {name: self.cleaned_data.get(name) for name in names} | self.allocation_values()


class ResizeForm(AllocationFields):
    """A new allocation of an environment."""

    @classmethod
    def initial_of(cls, environment: Environment) -> dict[str, Any]:
        """What it has now."""
        return {
            "cpu": _without_zeros(environment.cpu),
            "memory_gigabytes": _gigabytes(environment.memory_megabytes),
            "disk_gigabytes": _gigabytes(environment.disk_megabytes),
        }


class PairsField(forms.CharField):
    """`name = value` on lines of their own, as a dictionary."""

    widget = forms.Textarea(attrs=_CODE | {"rows": 4, "class": "mono"})

    def to_python(self, value: Any) -> dict[str, str]:
        pairs: dict[str, str] = {}
        for number, line in enumerate((super().to_python(value) or "").splitlines(), start=1):
            if not line.strip():
                continue
            name, separator, content = line.partition("=")
            if not separator or not name.strip():
                raise forms.ValidationError(f"Line {number} is not of the form name = value.")
            if name.strip() in pairs:
                raise forms.ValidationError(f"{name.strip()} is there twice.")
            pairs[name.strip()] = content.strip()
        return pairs

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{name} = {content}" for name, content in value.items()) if isinstance(value, dict) else value


class EnvironmentSettingsForm(forms.Form):
    """What may change of an environment besides its allocation."""

    name = forms.CharField(max_length=80, validators=[validate_plain_text])
    branch = forms.CharField(max_length=200, validators=[validate_git_reference], widget=forms.TextInput(attrs=_CODE))
    server = forms.ModelChoiceField(Server.objects.none(), required=False, empty_label="None yet")
    auto_deploy = forms.BooleanField(label="Deploy on every push", required=False)
    use_pgbouncer = forms.BooleanField(label="Pool database connections (PgBouncer)", required=False)
    pool_mode = forms.ChoiceField(choices=PoolMode.choices, help_text="By session, unless you know why not.")
    workers = forms.IntegerField(min_value=0, max_value=allocation.MAXIMUM_WORKERS, required=False)
    max_cron_threads = forms.IntegerField(label="Cron threads", min_value=0, max_value=16, required=False)
    db_maxconn = forms.IntegerField(label="Connections per process", min_value=2, max_value=512, required=False)
    pool_size = forms.IntegerField(min_value=5, max_value=2000, required=False)
    max_connections = forms.IntegerField(label="PostgreSQL's connections", min_value=20, max_value=5000, required=False)
    odoo_parameters = PairsField(label="odoo.conf", required=False, help_text="One name = value per line.")
    postgres_parameters = PairsField(label="PostgreSQL", required=False, help_text="One name = value per line.")

    def __init__(self, *arguments: Any, environment: Environment, **details: Any) -> None:
        details.setdefault("initial", self.initial_of(environment))
        super().__init__(*arguments, **details)
        self.fields["server"].queryset = Server.objects.filter(organization=environment.project.organization_id)
        for name in TUNED:
            self.fields[name].widget.attrs["placeholder"] = f"{getattr(environment, name)} (derived)"
        if environment.status != "pending":
            self.fields["server"].disabled = True

    @classmethod
    def initial_of(cls, environment: Environment) -> dict[str, Any]:
        """What it has now; derived numbers stay empty."""
        names = [name for name in cls.base_fields if name not in TUNED]
        initial = {name: getattr(environment, name) for name in names}
        return initial | {name: getattr(environment, name) for name in environment.tuned_fields}


class VariableForm(forms.Form):
    """One variable. To change one, enter it again."""

    key = forms.CharField(
        label="Name",
        max_length=128,
        validators=[validate_variable_name],
        widget=forms.TextInput(attrs=_CODE | {"class": "mono"}),
    )
    kind = forms.ChoiceField(choices=EnvironmentVariable.Kind.choices, initial=EnvironmentVariable.Kind.STRING)
    value = forms.CharField(
        required=False, strip=False, max_length=32 * 1024, widget=forms.Textarea(attrs=_CODE | {"rows": 2})
    )
    sensitive = forms.BooleanField(label="Secret: never shown again, masked in every log", required=False)


class OverrideForm(forms.Form):
    """What one environment does differently with a repository."""

    repository = forms.UUIDField()
    branch = forms.CharField(max_length=200, required=False, validators=[validate_git_reference])
    excluded = forms.BooleanField(required=False)


def _megabytes(gigabytes: Decimal | None) -> int | None:
    return None if gigabytes is None else int(gigabytes * GIGABYTE)


def _gigabytes(megabytes: int) -> Decimal:
    return _without_zeros((Decimal(megabytes) / GIGABYTE).quantize(Decimal("0.01")))


def _without_zeros(value: Decimal) -> Decimal:
    """`4.00` as 4 and `2.50` as 2.5; `normalize` alone makes 2E+1 of 20."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
