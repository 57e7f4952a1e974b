-- Registers: units as a tree, what an officer's certificate says, what a recorder is, where docks stand; whose a clip is.
--
-- Evidential tables, insert-only, each row a projection of one payload, as in 0002_parties.sql.

-- Several rows of one unit: the newest that had begun by a day counts for it.
CREATE TABLE unit (
    entry_id      uuid PRIMARY KEY,
    unit          uuid NOT NULL,
    version       integer NOT NULL CHECK (version > 0),
    code          text,
    name          text NOT NULL,
    parent        uuid,
    valid_from    date,
    valid_until   date,
    registered_at timestamptz NOT NULL,
    registered_by text NOT NULL,
    UNIQUE (unit, version)
);
CREATE INDEX unit_by_code ON unit (code);

-- Null in what was registered before these were asked for: always valid, and of a unit that is but a name.
ALTER TABLE officer
    ADD COLUMN unit_id uuid,
    ADD COLUMN duty text,
    ADD COLUMN certificate text,
    ADD COLUMN category text,
    ADD COLUMN area text,
    ADD COLUMN valid_from date,
    ADD COLUMN valid_until date;
CREATE INDEX officer_by_certificate ON officer (certificate) WHERE certificate IS NOT NULL;

CREATE TABLE recorder_registration (
    entry_id      uuid PRIMARY KEY,
    registration  uuid NOT NULL UNIQUE,
    recorder      text NOT NULL,
    version       integer NOT NULL CHECK (version > 0),
    kind          text NOT NULL,
    serial        text,
    model         text,
    unit          uuid,
    state         text NOT NULL,
    registered_at timestamptz NOT NULL,
    registered_by text NOT NULL,
    UNIQUE (recorder, version)
);

CREATE TABLE dock_placement (
    entry_id  uuid PRIMARY KEY,
    dock      uuid NOT NULL,
    unit      uuid,
    placed_at timestamptz NOT NULL,
    placed_by text NOT NULL
);
CREATE INDEX dock_placement_by_dock ON dock_placement (dock, entry_id);

CREATE TABLE register_import (
    entry_id    uuid PRIMARY KEY,
    imported    uuid NOT NULL UNIQUE,
    kind        text NOT NULL,
    name        text NOT NULL,
    sha256      bytea NOT NULL CHECK (octet_length(sha256) = 32),
    rows        bigint NOT NULL CHECK (rows >= 0),
    imported_at timestamptz NOT NULL,
    imported_by text NOT NULL
);

-- Whose a clip is, as it was seen at its sealing, and as people resolved it: the newest version counts.
CREATE TABLE clip_attribution_version (
    clip          uuid NOT NULL,
    version       integer NOT NULL CHECK (version > 0),
    officer       uuid,
    unit          uuid,
    flags         text[] NOT NULL,
    blocked       boolean NOT NULL,
    recorded_at   timestamptz,
    basis         text,
    reason        text,
    attributed_at timestamptz NOT NULL,
    attributed_by text NOT NULL,
    entry_id      uuid NOT NULL UNIQUE,
    PRIMARY KEY (clip, version)
);
CREATE INDEX clip_attribution_by_officer ON clip_attribution_version (officer, clip);
CREATE INDEX clip_attribution_by_unit ON clip_attribution_version (unit, clip);
CREATE INDEX clip_attribution_blocked ON clip_attribution_version (clip) WHERE blocked;

-- One row per clip, the one that counts. Written so that a join can go through the primary key clip by clip.
CREATE VIEW clip_attribution AS
SELECT v.clip, v.version, v.officer, v.unit, v.flags, v.blocked, v.recorded_at, v.basis, v.reason, v.attributed_at,
       v.attributed_by, v.entry_id
FROM clip_attribution_version v
WHERE NOT EXISTS (SELECT FROM clip_attribution_version n WHERE n.clip = v.clip AND n.version > v.version);

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY[
        'unit', 'recorder_registration', 'dock_placement', 'register_import', 'clip_attribution_version'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;
