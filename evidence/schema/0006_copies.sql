-- Copies of objects in the second store, from `clip.copied`: one row per object and entry; a later entry about the same
-- object states a longer lock.
--
-- Evidential like the tables of 0001: a projection of the payload, insert-only.
CREATE TABLE clip_copy (
    entry_id       uuid NOT NULL,
    sha256         bytea NOT NULL CHECK (octet_length(sha256) = 32),
    clip           uuid NOT NULL,
    store          text NOT NULL,
    size           bigint NOT NULL CHECK (size > 0),
    checksum       text,
    version        text,
    retained_until timestamptz,
    copied_at      timestamptz NOT NULL,
    PRIMARY KEY (entry_id, sha256)
);

CREATE INDEX clip_copy_object ON clip_copy (sha256, store);
CREATE INDEX clip_copy_clip ON clip_copy (clip);

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON clip_copy
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- What has no copy yet is looked for among what is new.
CREATE INDEX clip_sealed_at ON clip (sealed_at);
CREATE INDEX clip_derivation_derived_at ON clip_derivation (derived_at);

-- SM3 (GB/T 32905) of the whole file, where it was computed; payloads of before, and of houses that do without, lack it.
ALTER TABLE clip ADD COLUMN sm3 bytea CHECK (octet_length(sm3) = 32);
