-- People with accounts: who they are, which roles they hold, what their credentials must hash to, their sessions.
--
-- Evidential tables are insert-only projections of one ledger payload each. What is secret stands in the tables at the
-- foot; the evidential rows hold digests of it, so that a secret changed behind the record's back is worth nothing.

CREATE TABLE account (
    staff      uuid PRIMARY KEY,
    login      text NOT NULL UNIQUE,
    name       text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);

CREATE TABLE account_version (
    staff      uuid NOT NULL,
    version    integer NOT NULL CHECK (version >= 0),
    roles      text[] NOT NULL CHECK (cardinality(roles) > 0),
    enabled    boolean NOT NULL,
    reason     text,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    entry_id   uuid NOT NULL UNIQUE,
    PRIMARY KEY (staff, version)
);

-- What was set, in order: `code` (to set a password with), `password`, `totp`, `totp_removed`.
CREATE TABLE account_credential (
    staff      uuid NOT NULL,
    number     integer NOT NULL CHECK (number > 0),
    kind       text NOT NULL CHECK (kind IN ('code', 'password', 'totp', 'totp_removed')),
    sha256     bytea CHECK (octet_length(sha256) = 32),
    recovery   bytea[],
    cause      text,
    expires_at timestamptz,
    set_at     timestamptz NOT NULL,
    set_by     text NOT NULL,
    entry_id   uuid NOT NULL UNIQUE,
    PRIMARY KEY (staff, number),
    CHECK ((kind = 'totp_removed') = (sha256 IS NULL))
);

CREATE TABLE account_link (
    issuer    text NOT NULL,
    subject   text NOT NULL,
    staff     uuid NOT NULL,
    linked_at timestamptz NOT NULL,
    entry_id  uuid NOT NULL UNIQUE,
    PRIMARY KEY (issuer, subject),
    UNIQUE (staff, issuer)
);

CREATE TABLE staff_session (
    session         uuid PRIMARY KEY,
    staff           uuid NOT NULL,
    role            text NOT NULL,
    scopes          text[],
    token_sha256    bytea NOT NULL UNIQUE CHECK (octet_length(token_sha256) = 32),
    expires_at      timestamptz NOT NULL,
    method          text NOT NULL,
    recovery_sha256 bytea UNIQUE CHECK (octet_length(recovery_sha256) = 32),
    failed_before   bigint NOT NULL CHECK (failed_before >= 0),
    signed_in_at    timestamptz NOT NULL,
    entry_id        uuid NOT NULL UNIQUE
);
CREATE INDEX staff_session_by_staff ON staff_session (staff, session);

CREATE TABLE staff_session_end (
    session  uuid PRIMARY KEY,
    cause    text NOT NULL,
    ended_at timestamptz NOT NULL,
    ended_by text NOT NULL,
    entry_id uuid NOT NULL UNIQUE
);

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY[
        'account', 'account_version', 'account_credential', 'account_link', 'staff_session', 'staff_session_end'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;

-- Passing state ------------------------------------------------------------------------------------------------------

-- The password's hash (PHC string) and the shared secret of one-time codes, as the newest account_credential rows say.
CREATE TABLE account_secret (
    staff         uuid PRIMARY KEY,
    password      text,
    totp          bytea,
    totp_step     bigint,
    totp_pending  bytea,
    pending_until timestamptz
);

-- When and from where a token or a session was used last, to the minute.
CREATE TABLE credential_seen (
    credential uuid PRIMARY KEY,
    staff      uuid NOT NULL,
    address    text NOT NULL,
    seen_at    timestamptz NOT NULL
);
CREATE INDEX credential_seen_by_age ON credential_seen (seen_at);
CREATE INDEX credential_seen_by_staff ON credential_seen (staff, address);

-- Failed attempts to sign in, by what is guarded; swept, and never more rows than a limit.
CREATE TABLE sign_in_pause (
    key          bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    failures     integer NOT NULL,
    paused_until timestamptz NOT NULL,
    last_at      timestamptz NOT NULL
);
CREATE INDEX sign_in_pause_by_age ON sign_in_pause (last_at);
