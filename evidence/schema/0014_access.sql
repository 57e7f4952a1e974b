-- Access: what is granted to people and withdrawn, which classes clips bear, who was shown which restricted clip by a
-- search. Evidential, insert-only, a projection of one payload each, as in 0002_parties.sql.
CREATE TABLE access_grant (
    grant_id   uuid PRIMARY KEY,
    staff      uuid NOT NULL,
    units      jsonb NOT NULL,
    all_units  boolean NOT NULL,
    cases      jsonb NOT NULL,
    classes    jsonb NOT NULL,
    until      timestamptz,
    reason     text NOT NULL,
    granted_at timestamptz NOT NULL,
    granted_by text NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);
CREATE INDEX access_grant_by_staff ON access_grant (staff, grant_id);

CREATE TABLE access_withdrawal (
    grant_id     uuid PRIMARY KEY,
    reason       text NOT NULL,
    withdrawn_at timestamptz NOT NULL,
    withdrawn_by text NOT NULL,
    entry_id     uuid NOT NULL UNIQUE
);

-- Several rows of one clip: the newest counts.
CREATE TABLE clip_class (
    entry_id      uuid PRIMARY KEY,
    clip          uuid NOT NULL,
    classes       jsonb NOT NULL,
    reason        text NOT NULL,
    classified_at timestamptz NOT NULL,
    classified_by text NOT NULL
);
CREATE INDEX clip_class_by_clip ON clip_class (clip, entry_id);

CREATE TABLE clip_shown (
    entry_id uuid NOT NULL,
    clip     uuid NOT NULL,
    PRIMARY KEY (entry_id, clip)
);
CREATE INDEX clip_shown_by_clip ON clip_shown (clip, entry_id);

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY['access_grant', 'access_withdrawal', 'clip_class', 'clip_shown'] LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;

-- What a search may show is decided by these two, see evidence/access/scope.py. Nothing bears a class yet, so the
-- default is true of every document there is.
ALTER TABLE search_document
    ADD COLUMN unit uuid,
    ADD COLUMN classes text[] NOT NULL DEFAULT '{}';
CREATE INDEX search_document_by_unit ON search_document (unit, received_at DESC, clip DESC);
