"""The Owner is told by mail; what is looked at through a person's eyes is named."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orgs", "0004_rights")]

    operations = [
        migrations.AddField("supportaccess", "told_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "viewas",
            "organization_ids",
            django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
        ),
    ]
