"""An erasure reaches the events that name a whole address, not those that name a longer one which holds it."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION audit_event_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
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
        OR EXISTS ({named})
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The audit trail is only appended to: % is refused.', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""
# The same as apps/audit/retention.py finds: in every text of the event, and not within a longer address.
WHOLE = r"""
            SELECT 1 FROM jsonb_array_elements_text(words::jsonb) AS word,
                jsonb_path_query(to_jsonb(OLD), '$.** ? (@.type() == "string")') AS item
            WHERE (item #>> '{}') ~ (
                '(?<![\w.+%-])' || regexp_replace(word, '([][*.+?^$(){}|\\-])', '\\\1', 'g') || '(?![\w-]|\.\w)'
            )
        """
ANY_PART = """
            SELECT 1 FROM jsonb_array_elements_text(words::jsonb) AS word
            WHERE strpos(to_jsonb(OLD)::text, word) > 0
        """


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_kept")]

    operations = [migrations.RunSQL(FUNCTION.format(named=WHOLE), FUNCTION.format(named=ANY_PART))]
