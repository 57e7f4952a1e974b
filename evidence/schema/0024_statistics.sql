-- What storage costs, and random samples of cases. Evidential, insert-only, a projection of one payload each, as
-- everything in 0002_parties.sql above its line. Figures are computed, never stored.
CREATE TABLE storage_price (
    price      uuid PRIMARY KEY,
    hundredths bigint NOT NULL CHECK (hundredths >= 0),
    currency   text NOT NULL,
    citation   text NOT NULL,
    stated_at  timestamptz NOT NULL,
    stated_by  text NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);

CREATE TABLE case_sample (
    sample            uuid PRIMARY KEY,
    commitment        bytea NOT NULL CHECK (octet_length(commitment) = 32),
    size              bigint NOT NULL CHECK (size > 0),
    root              bytea NOT NULL CHECK (octet_length(root) = 32),
    population        bigint NOT NULL CHECK (population > 0),
    population_sha256 bytea NOT NULL CHECK (octet_length(population_sha256) = 32),
    draw              bigint NOT NULL CHECK (draw > 0),
    rule              text NOT NULL,
    purpose           text NOT NULL,
    committed_at      timestamptz NOT NULL,
    committed_by      text NOT NULL,
    entry_id          uuid NOT NULL UNIQUE
);

CREATE TABLE case_sample_draw (
    sample   uuid PRIMARY KEY,
    seed     bytea NOT NULL CHECK (octet_length(seed) = 32),
    size     bigint NOT NULL CHECK (size > 0),
    root     bytea NOT NULL CHECK (octet_length(root) = 32),
    cases    jsonb NOT NULL,
    drawn_at timestamptz NOT NULL,
    drawn_by text NOT NULL,
    entry_id uuid NOT NULL UNIQUE
);

-- Several rows of one case: the newest counts.
CREATE TABLE case_sample_score (
    entry_id  uuid PRIMARY KEY,
    sample    uuid NOT NULL,
    case_id   uuid NOT NULL,
    points    bigint NOT NULL CHECK (points BETWEEN 0 AND 100),
    note      text NOT NULL,
    scored_at timestamptz NOT NULL,
    scored_by text NOT NULL
);
CREATE INDEX case_sample_score_of ON case_sample_score (sample, case_id, entry_id);

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY['storage_price', 'case_sample', 'case_sample_draw', 'case_sample_score'] LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;
