-- What a machine takes people to have said, from `clip.transcribed`; its objects stand in clip_object. A proposal.
--
-- Evidential like the tables of 0001: a projection of the payload, insert-only.
CREATE TABLE clip_transcript (
    entry_id       uuid PRIMARY KEY,
    clip           uuid NOT NULL,
    attempt        integer NOT NULL CHECK (attempt > 0),
    parent         bytea NOT NULL CHECK (octet_length(parent) = 32),
    speech         bytea NOT NULL CHECK (octet_length(speech) = 32),
    models         jsonb NOT NULL,
    tools          jsonb NOT NULL,
    counts         jsonb NOT NULL,
    transcribed_at timestamptz NOT NULL
);

CREATE INDEX clip_transcript_by_clip ON clip_transcript (clip, entry_id);
CREATE INDEX clip_transcript_transcribed_at ON clip_transcript (transcribed_at);

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON clip_transcript
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- Clips with speech are looked for among what was derived last.
CREATE INDEX clip_object_speech ON clip_object (entry_id) WHERE kind = 'speech';
