"""Operations that were queued before they carried their project get the one of their environment."""

from __future__ import annotations

from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    environments = apps.get_model("environments", "Environment").objects.filter(pk=OuterRef("subject_id"))
    apps.get_model("operations", "Operation").objects.filter(
        subject_type="environments.environment", project_id=None
    ).update(project_id=Subquery(environments.values("project_id")[:1]))


class Migration(migrations.Migration):
    dependencies = [("environments", "0001_initial"), ("operations", "0002_projects_of_operations")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
