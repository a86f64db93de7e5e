"""The versions of Odoo that the platform has rules for, with the end of their support as Odoo has published it:
https://www.odoo.com/documentation/19.0/administration/supported_versions.html"""

from datetime import date

from django.db import migrations

SUPPORTED_UNTIL = {
    "14.0": date(2023, 11, 30),
    "15.0": date(2024, 10, 31),
    "16.0": date(2025, 10, 31),
    "17.0": date(2026, 10, 31),
    "18.0": date(2027, 10, 31),
    "19.0": date(2028, 10, 31),
}


def add(apps, schema_editor):
    series = apps.get_model("platform", "OdooSeries")
    for version, day in SUPPORTED_UNTIL.items():
        series.objects.get_or_create(version=version, defaults={"supported_until": day})


class Migration(migrations.Migration):
    dependencies = [("platform", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
