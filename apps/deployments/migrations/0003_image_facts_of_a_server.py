import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Facts are read again when they are needed: those that no server is known for are dropped."""

    dependencies = [
        ('deployments', '0002_release_goes_with_its_environment'),
        ('servers', '0001_initial'),
    ]

    operations = [
        migrations.DeleteModel(name='ImageFacts'),
        migrations.CreateModel(
            name='ImageFacts',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('image_id', models.CharField(max_length=80)),
                ('user', models.CharField(blank=True, max_length=64)),
                ('uid', models.PositiveIntegerField()),
                ('gid', models.PositiveIntegerField()),
                ('addons_path', models.JSONField(default=list)),
                ('server', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='image_facts', to='servers.server')),
            ],
            options={
                'verbose_name_plural': 'image facts',
                'constraints': [models.UniqueConstraint(fields=('server', 'image_id'), name='image_facts_of_server')],
            },
        ),
    ]
