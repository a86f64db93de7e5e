"""Who has seen the code of an invitation. Of those that stand already nobody knows it: all who could see them count."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

WHO_COULD = """
INSERT INTO orgs_invitationreader (id, created_at, updated_at, invitation_id, user_id)
SELECT gen_random_uuid(), now(), now(), invitation.id, person.user_id
  FROM orgs_invitation invitation
  JOIN (SELECT organization_id, user_id FROM orgs_membership WHERE role IN ('owner', 'admin')
        UNION
        SELECT role.organization_id, given.user_id
          FROM orgs_customroleassignment given JOIN orgs_customrole role ON role.id = given.role_id
         WHERE 'org.members.manage' = ANY (role.codes) AND given.on_project IS NULL
        UNION
        SELECT organization_id, user_id FROM orgs_permissionoverride
         WHERE code = 'org.members.manage' AND effect = 'grant') person
    ON person.organization_id = invitation.organization_id
 WHERE invitation.email = '' AND invitation.revoked_at IS NULL AND invitation.uses < invitation.max_uses
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0005_support_told"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("invitation", "code_renewed_at", models.DateTimeField(editable=False, null=True)),
        migrations.CreateModel(
            name="InvitationReader",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "invitation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="readers", to="orgs.invitation"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="read_invitations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("invitation", "user"), name="invitation_read_once_per_person")
                ]
            },
        ),
        migrations.RunSQL(WHO_COULD, migrations.RunSQL.noop),
    ]
