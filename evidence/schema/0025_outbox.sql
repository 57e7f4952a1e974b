-- The outbox: who is told of which entries, and how far each of them has been told.
--
-- Subscriptions and their ends are evidential, as everything in 0002_parties.sql above its line.

CREATE TABLE outbox_subscription (
    subscription uuid PRIMARY KEY,
    name         text NOT NULL,
    url          text NOT NULL,
    types        text[] NOT NULL CHECK (cardinality(types) > 0),
    detail       text NOT NULL,
    begun_at     timestamptz NOT NULL,
    begun_by     text NOT NULL,
    entry_id     uuid NOT NULL UNIQUE
);
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON outbox_subscription
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE outbox_end (
    subscription uuid PRIMARY KEY,
    reason       text NOT NULL,
    ended_at     timestamptz NOT NULL,
    ended_by     text NOT NULL,
    entry_id     uuid NOT NULL UNIQUE
);
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON outbox_end
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- Passing state ------------------------------------------------------------------------------------------------------

-- Without a secret nothing is sent. `next_index` is the place in the published log that is looked at next.
CREATE TABLE outbox_cursor (
    subscription    uuid PRIMARY KEY,
    secret          bytea,
    secret_before   bytea,
    before_until    timestamptz,
    next_index      bigint NOT NULL CHECK (next_index >= 0),
    attempts        integer NOT NULL DEFAULT 0,
    first_failed_at timestamptz,
    retry_at        timestamptz NOT NULL,
    problem         text,
    lease           uuid,
    lease_until     timestamptz
);

-- Messages that were given up, with the reason; sent again when somebody asks for it.
CREATE TABLE outbox_dead (
    subscription uuid NOT NULL,
    entry_id     uuid NOT NULL,
    log_index    bigint NOT NULL,
    problem      text NOT NULL,
    given_up_at  timestamptz NOT NULL,
    PRIMARY KEY (subscription, log_index)
);
