"""What was written into each database as Odoo's own address: until now the address that the environment has."""

from django.db import migrations, models

AS_WRITTEN = """
UPDATE environments_environment environment
   SET base_url = 'https://' || environment.host_name
               || CASE server.https_port WHEN 443 THEN '' ELSE ':' || server.https_port END
  FROM servers_server server
 WHERE server.id = environment.server_id AND environment.admin_password_hash <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("environments", "0002_projects_of_operations")]

    operations = [
        migrations.AddField("environment", "base_url", models.CharField(blank=True, editable=False, max_length=300)),
        migrations.RunSQL(AS_WRITTEN, migrations.RunSQL.noop),
    ]
