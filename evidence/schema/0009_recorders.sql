-- Recorders: under which circumstances docks saw them, what the sequence of sightings tells, whose they are; and what
-- docks say of themselves now.
--
-- What stands above the line is evidential, insert-only, a projection of one payload each, as in 0002_parties.sql.

-- Null in inventories of the first version, which state no circumstances.
ALTER TABLE dock_inventory ADD COLUMN docking jsonb;
CREATE INDEX dock_inventory_of_recorder ON dock_inventory (recorder, received_at);
CREATE INDEX clip_source_of_recorder ON clip_source (recorder, path);

-- An inventory may be compared again, when one from before it arrives late: the newest comparison counts.
CREATE TABLE recorder_comparison (
    entry_id    uuid PRIMARY KEY,
    recorder    text NOT NULL,
    dock        uuid NOT NULL,
    inventory   uuid NOT NULL,
    previous    uuid,
    findings    integer NOT NULL CHECK (findings >= 0),
    compared_at timestamptz NOT NULL
);
CREATE INDEX recorder_comparison_by_recorder ON recorder_comparison (recorder, entry_id);
CREATE INDEX recorder_comparison_by_inventory ON recorder_comparison (inventory, entry_id);

CREATE TABLE recorder_finding (
    entry_id  uuid NOT NULL,
    place     integer NOT NULL CHECK (place >= 0),
    recorder  text NOT NULL,
    inventory uuid NOT NULL,
    code      text NOT NULL,
    weight    text NOT NULL CHECK (weight IN ('info', 'notice', 'high')),
    facts     jsonb NOT NULL,
    PRIMARY KEY (entry_id, place)
);

CREATE TABLE recorder_explanation (
    entry_id     uuid PRIMARY KEY,
    finding      uuid NOT NULL,
    place        bigint NOT NULL,
    recorder     text NOT NULL,
    said         text NOT NULL,
    explained_at timestamptz NOT NULL,
    explained_by text NOT NULL
);
CREATE INDEX recorder_explanation_by_finding ON recorder_explanation (finding, place);

-- Several rows of one officer: the newest counts.
CREATE TABLE officer (
    entry_id      uuid PRIMARY KEY,
    officer       uuid NOT NULL,
    number        text NOT NULL,
    name          text NOT NULL,
    unit          text NOT NULL,
    registered_at timestamptz NOT NULL,
    registered_by text NOT NULL
);
CREATE INDEX officer_by_id ON officer (officer, entry_id);
CREATE INDEX officer_by_number ON officer (number);

CREATE TABLE recorder_assignment (
    entry_id    uuid PRIMARY KEY,
    assignment  uuid NOT NULL UNIQUE,
    recorder    text NOT NULL,
    officer     uuid,
    since       timestamptz NOT NULL,
    assigned_at timestamptz NOT NULL,
    assigned_by text NOT NULL
);
CREATE INDEX recorder_assignment_by_recorder ON recorder_assignment (recorder, since, entry_id);

CREATE TABLE dock_key_demand (
    entry_id    uuid PRIMARY KEY,
    dock        uuid NOT NULL,
    reason      text NOT NULL,
    demanded_at timestamptz NOT NULL,
    demanded_by text NOT NULL
);
CREATE INDEX dock_key_demand_by_dock ON dock_key_demand (dock, demanded_at);

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY[
        'recorder_comparison', 'recorder_finding', 'recorder_explanation', 'officer', 'recorder_assignment',
        'dock_key_demand'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;

-- Passing state ------------------------------------------------------------------------------------------------------

-- What a dock said of itself last: one row per dock, overwritten by every heartbeat.
CREATE TABLE dock_state (
    dock     uuid PRIMARY KEY,
    heard_at timestamptz NOT NULL,
    said     jsonb NOT NULL
);
