from django.db import migrations, models

import apps.platform.validators


class Migration(migrations.Migration):
    dependencies = [("platform", "0002_series")]

    operations = [
        migrations.AlterField(
            model_name="platformrepository",
            name="url",
            field=models.CharField(max_length=500, validators=[apps.platform.validators.validate_platform_url]),
        ),
    ]
