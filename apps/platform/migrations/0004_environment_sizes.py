import uuid

from django.db import migrations, models


def add(apps, schema_editor):
    """One row for each type; what is empty is as usual."""
    sizes = apps.get_model("platform", "EnvironmentSize")
    for name in ("development", "staging", "production"):
        sizes.objects.get_or_create(environment_type=name)


class Migration(migrations.Migration):
    dependencies = [("platform", "0003_repository_address")]

    operations = [
        migrations.CreateModel(
            name="EnvironmentSize",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "environment_type",
                    models.CharField(
                        choices=[
                            ("development", "Development"),
                            ("staging", "Staging"),
                            ("production", "Production"),
                        ],
                        max_length=12,
                        unique=True,
                    ),
                ),
                (
                    "cpu",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=5, null=True, verbose_name="CPU cores"
                    ),
                ),
                (
                    "memory_megabytes",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="memory (MB)"),
                ),
                ("disk_megabytes", models.PositiveIntegerField(blank=True, null=True, verbose_name="disk (MB)")),
                (
                    "workers",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Of an environment that takes this CPU and memory. Empty: as many as they carry.",
                        null=True,
                    ),
                ),
            ],
            options={"ordering": ["environment_type"]},
        ),
        migrations.RunPython(add, migrations.RunPython.noop),
    ]
