"""Who looked through whose eyes and by which key; and the database itself keeps the trail."""

from django.db import migrations, models

# Retention and erasure name themselves in their transaction (apps/audit/retention.py); nothing else is let through.
KEEP = """
CREATE FUNCTION audit_event_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    erasable CONSTANT text[] := ARRAY['actor_name', 'target_name', 'viewer_name', 'ip_address', 'before', 'after'];
    erased text := COALESCE(current_setting('oecsh.audit_erased_person', true), '');
    words text := COALESCE(NULLIF(current_setting('oecsh.audit_erased_words', true), ''), '[]');
    expired text := COALESCE(current_setting('oecsh.audit_expired_before', true), '');
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        IF COALESCE(current_setting('oecsh.audit_may_truncate', true), '') = 'on' THEN
            RETURN NULL;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF expired <> '' AND OLD.created_at < expired::timestamptz AND OLD.created_at < now() - interval '29 days' THEN
            RETURN OLD;
        END IF;
    ELSIF erased <> '' AND to_jsonb(NEW) - erasable = to_jsonb(OLD) - erasable AND (
        erased IN (OLD.actor_id::text, OLD.target_id::text, OLD.viewer_id::text)
        OR EXISTS (
            SELECT 1 FROM jsonb_array_elements_text(words::jsonb) AS word
            WHERE strpos(to_jsonb(OLD)::text, word) > 0
        )
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The audit trail is only appended to: % is refused.', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_event_is_kept BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_is_kept();
CREATE TRIGGER audit_event_is_not_emptied BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_is_kept();
"""
LET_GO = """
DROP TRIGGER audit_event_is_not_emptied ON audit_event;
DROP TRIGGER audit_event_is_kept ON audit_event;
DROP FUNCTION audit_event_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.AddField("event", "key_id", models.UUIDField(null=True)),
        migrations.AddField("event", "key_name", models.CharField(blank=True, default="", max_length=100)),
        migrations.AddField("event", "viewer_id", models.UUIDField(null=True)),
        migrations.AddField("event", "viewer_name", models.CharField(blank=True, default="", max_length=254)),
        migrations.AddIndex(
            "event", models.Index(fields=["organization_id", "action", "-created_at"], name="audit_by_action")
        ),
        migrations.AddIndex(
            "event", models.Index(fields=["organization_id", "actor_id", "-created_at"], name="audit_by_actor")
        ),
        migrations.RunSQL(KEEP, LET_GO),
    ]
