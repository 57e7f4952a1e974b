-- Legal review: rules, signing keys and qualifications of persons, the steps of each case's review, decisions.
-- Evidential, insert-only, a projection of one payload each.
CREATE TABLE review_rules (
    rules          uuid PRIMARY KEY,
    agency         text NOT NULL,
    agency_key     text NOT NULL,
    version        integer NOT NULL,
    effective_from date NOT NULL,
    content        jsonb NOT NULL,
    adopted_by     text NOT NULL,
    adopted_at     timestamptz NOT NULL,
    entry_id       uuid NOT NULL UNIQUE,
    UNIQUE (agency_key, version)
);

CREATE TABLE person_key (
    staff     uuid NOT NULL,
    number    integer NOT NULL,
    key       bytea NOT NULL CHECK (octet_length(key) = 32),
    stated_at timestamptz NOT NULL,
    entry_id  uuid NOT NULL UNIQUE,
    PRIMARY KEY (staff, number)
);

CREATE TABLE reviewer_qualification (
    staff       uuid NOT NULL,
    number      integer NOT NULL,
    certificate text NOT NULL,
    valid_from  date NOT NULL,
    valid_until date NOT NULL,
    source      text NOT NULL,
    stated_by   text NOT NULL,
    stated_at   timestamptz NOT NULL,
    entry_id    uuid NOT NULL UNIQUE,
    PRIMARY KEY (staff, number)
);

-- Steps are numbered under the case's lock; `content` is the payload whole.
CREATE TABLE review_step (
    case_id   uuid NOT NULL,
    step      integer NOT NULL,
    kind      text NOT NULL,
    content   jsonb NOT NULL,
    stated_by text NOT NULL,
    stated_at timestamptz NOT NULL,
    entry_id  uuid NOT NULL UNIQUE,
    PRIMARY KEY (case_id, step)
);
-- Numbers of opinions have neither gap nor duplicate within a year, whatever happens at once.
CREATE UNIQUE INDEX review_opinion_number
    ON review_step (((content ->> 'year')::integer), ((content ->> 'sequence')::integer)) WHERE kind = 'opined';

-- A case is decided once. `approval` is the entry of the opinion it rests on.
CREATE TABLE decision (
    case_id    uuid PRIMARY KEY,
    decision   uuid NOT NULL UNIQUE,
    number     text NOT NULL,
    kind       text,
    summary    text NOT NULL,
    rules      uuid NOT NULL,
    scope      jsonb NOT NULL,
    root       bytea NOT NULL CHECK (octet_length(root) = 32),
    approval   uuid,
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);
CREATE INDEX decision_by_number ON decision (number);

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY['review_rules', 'person_key', 'reviewer_qualification', 'review_step', 'decision']
    LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;
