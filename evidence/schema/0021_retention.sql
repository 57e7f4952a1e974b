-- How long clips are kept, what holds them, and how they go. Evidential, insert-only, a projection of one payload each,
-- as everything in 0002_parties.sql above its line. How long a clip is kept is computed, never stored.
CREATE TABLE retention_schedule (
    schedule       uuid PRIMARY KEY,
    effective_from date NOT NULL,
    content        jsonb NOT NULL,
    stated_at      timestamptz NOT NULL,
    stated_by      text NOT NULL,
    entry_id       uuid NOT NULL UNIQUE
);

CREATE TABLE legal_hold (
    hold      uuid PRIMARY KEY,
    clip      uuid,
    case_id   uuid,
    recorder  text,
    since     timestamptz,
    until     timestamptz,
    basis     text NOT NULL,
    placed_at timestamptz NOT NULL,
    placed_by text NOT NULL,
    entry_id  uuid NOT NULL UNIQUE,
    CHECK (num_nonnulls(clip, case_id, recorder) = 1)
);
CREATE INDEX legal_hold_by_clip ON legal_hold (clip) WHERE clip IS NOT NULL;
CREATE INDEX legal_hold_by_case ON legal_hold (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX legal_hold_by_recorder ON legal_hold (recorder) WHERE recorder IS NOT NULL;

CREATE TABLE legal_hold_release (
    hold        uuid PRIMARY KEY,
    reason      text NOT NULL,
    released_at timestamptz NOT NULL,
    released_by text NOT NULL,
    entry_id    uuid NOT NULL UNIQUE
);

CREATE TABLE disposal_appraisal (
    appraisal    uuid PRIMARY KEY,
    reason       text NOT NULL,
    appraised_at timestamptz NOT NULL,
    appraised_by text NOT NULL,
    entry_id     uuid NOT NULL UNIQUE
);

CREATE TABLE disposal_item (
    appraisal  uuid NOT NULL,
    clip       uuid NOT NULL,
    sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size       bigint NOT NULL CHECK (size > 0),
    expired_on date NOT NULL,
    because    jsonb NOT NULL,
    entry_id   uuid NOT NULL,
    PRIMARY KEY (appraisal, clip)
);
CREATE INDEX disposal_item_by_clip ON disposal_item (clip);

-- What another person decided about an appraisal: approved or refused, once.
CREATE TABLE disposal_decision (
    appraisal  uuid PRIMARY KEY,
    approved   boolean NOT NULL,
    reason     text NOT NULL,
    decided_at timestamptz NOT NULL,
    decided_by text NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);

-- Tombstones: what stands where a clip's objects were.
CREATE TABLE clip_disposal (
    clip        uuid PRIMARY KEY,
    appraisal   uuid NOT NULL,
    expired_on  date NOT NULL,
    because     jsonb NOT NULL,
    stores      jsonb NOT NULL,
    disposed_at timestamptz NOT NULL,
    entry_id    uuid NOT NULL UNIQUE
);

-- What goes with it, for whoever asks about an object.
CREATE TABLE disposed_object (
    clip     uuid NOT NULL,
    sha256   bytea NOT NULL CHECK (octet_length(sha256) = 32),
    kind     text NOT NULL,
    size     bigint NOT NULL CHECK (size > 0),
    entry_id uuid NOT NULL,
    PRIMARY KEY (clip, sha256)
);
CREATE INDEX disposed_object_by_sha256 ON disposed_object (sha256);

CREATE INDEX clip_object_by_clip ON clip_object (clip);
CREATE INDEX custody_payload_of_redactions ON custody_payload (subject) WHERE type = 'clip.redacted';

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY[
        'retention_schedule', 'legal_hold', 'legal_hold_release', 'disposal_appraisal', 'disposal_item',
        'disposal_decision', 'clip_disposal', 'disposed_object'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;
