-- Deadlines. Above the line evidential: projections of payloads, insert-only. Below it what is derived from the log
-- and can be made again at any time: facts about cases in the log's order, clocks as they stand, how far was read.
CREATE TABLE deadline_rules (
    rules          uuid PRIMARY KEY,
    version        integer NOT NULL UNIQUE CHECK (version > 0),
    effective_from date NOT NULL,
    content        jsonb NOT NULL,
    published_by   text NOT NULL,
    published_at   timestamptz NOT NULL,
    entry_id       uuid NOT NULL UNIQUE
);

CREATE TABLE deadline_statement (
    entry_id  uuid PRIMARY KEY,
    clock     text NOT NULL,
    verb      text NOT NULL,
    case_id   uuid,
    content   jsonb NOT NULL,
    stated_by text NOT NULL,
    stated_at timestamptz NOT NULL
);
CREATE INDEX deadline_statement_of ON deadline_statement (clock, entry_id);
CREATE INDEX deadline_statement_of_case ON deadline_statement (case_id, entry_id);
-- One warning for each last day, whatever restarts or runs twice; a clock begins, ends and is voided once.
CREATE UNIQUE INDEX deadline_warned_once ON deadline_statement (clock, (content ->> 'due_on'), (content ->> 'mark'))
    WHERE verb = 'warned';
CREATE UNIQUE INDEX deadline_stated_once ON deadline_statement (clock, verb)
    WHERE verb IN ('started', 'fulfilled', 'voided');

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON deadline_rules
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON deadline_statement
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-------------------------------------------------------------------------------------------------------------------

CREATE TABLE deadline_fact (
    entry_id uuid PRIMARY KEY,
    index    bigint NOT NULL,
    case_id  uuid,
    type     text NOT NULL,
    actor    text NOT NULL,
    at       timestamptz NOT NULL,
    payload  jsonb NOT NULL
);
CREATE INDEX deadline_fact_of_case ON deadline_fact (case_id, index);
CREATE INDEX deadline_fact_of_type ON deadline_fact (type, index);
CREATE INDEX deadline_fact_of_publication ON deadline_fact ((payload ->> 'publication'))
    WHERE type = 'publication.published';

-- `status` is what does not depend on the day that somebody asks on: open, paused, done, void.
CREATE TABLE deadline_clock (
    clock        text PRIMARY KEY,
    kind         text NOT NULL,
    case_id      uuid,
    clip         uuid,
    unit         uuid,
    name         text NOT NULL,
    content      jsonb NOT NULL,
    due_on       date NOT NULL,
    warn_on      date NOT NULL,
    provisional  boolean NOT NULL,
    status       text NOT NULL CHECK (status IN ('open', 'paused', 'done', 'void')),
    late         boolean NOT NULL,
    explained    boolean NOT NULL
);
CREATE INDEX deadline_clock_by_day ON deadline_clock (due_on, clock);
CREATE INDEX deadline_clock_open ON deadline_clock (due_on, clock) WHERE status IN ('open', 'paused');
CREATE INDEX deadline_clock_of_case ON deadline_clock (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX deadline_clock_of_clip ON deadline_clock (clip) WHERE clip IS NOT NULL;

CREATE TABLE deadline_cursor (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    next_index bigint NOT NULL CHECK (next_index >= 0),
    counted_by text NOT NULL,
    counted_on date NOT NULL
);
