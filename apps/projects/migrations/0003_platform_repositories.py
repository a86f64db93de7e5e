from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_roles")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="use_platform_repositories",
            field=models.BooleanField(default=True),
        ),
    ]
