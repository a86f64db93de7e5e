import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


def forget_platform_snapshots(apps, schema_editor):
    """On the way back: what a commit holds is read again when it is needed."""
    apps.get_model("deployments", "SourceSnapshot").objects.filter(repository=None).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0003_image_facts_of_a_server"),
        ("platform", "0002_series"),
        ("projects", "0002_roles"),
    ]

    operations = [
        migrations.AlterField(
            model_name="sourcesnapshot",
            name="repository",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="snapshots",
                to="projects.repository",
            ),
        ),
        migrations.AddField(
            model_name="sourcesnapshot",
            name="platform_repository",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="snapshots",
                to="platform.platformrepository",
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcesnapshot",
            constraint=models.UniqueConstraint(
                fields=["platform_repository", "commit", "subdirectory"], name="source_snapshot_platform_commit"
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcesnapshot",
            constraint=models.CheckConstraint(
                condition=Q(("repository__isnull", True), ("platform_repository__isnull", True), _connector="XOR"),
                name="source_snapshot_one_repository",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, forget_platform_snapshots),
        migrations.AddField(
            model_name="seed",
            name="installed",
            field=models.JSONField(default=list),
        ),
    ]
