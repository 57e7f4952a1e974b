-- Who acts: people by token, docks by key; what docks have stated; what they were let in with.
--
-- Evidential tables are insert-only projections of one ledger payload each; the audit replays the payloads and compares.
-- The tables at the foot hold passing state (credentials not yet used, tickets, stored answers): none of it is evidence.

CREATE TABLE staff_token (
    token        uuid PRIMARY KEY,
    staff        uuid NOT NULL,
    name         text NOT NULL,
    role         text NOT NULL,
    expires_at   timestamptz NOT NULL,
    token_sha256 bytea NOT NULL UNIQUE CHECK (octet_length(token_sha256) = 32),
    issued_at    timestamptz NOT NULL,
    issued_by    text NOT NULL,
    entry_id     uuid NOT NULL UNIQUE
);

CREATE TABLE staff_token_revocation (
    token      uuid PRIMARY KEY,
    reason     text NOT NULL,
    revoked_at timestamptz NOT NULL,
    revoked_by text NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);

CREATE TABLE dock (
    dock        uuid PRIMARY KEY,
    name        text NOT NULL,
    vkey        text NOT NULL UNIQUE,
    enrolled_at timestamptz NOT NULL,
    entry_id    uuid NOT NULL UNIQUE
);

CREATE TABLE dock_revocation (
    dock       uuid PRIMARY KEY,
    reason     text NOT NULL,
    revoked_at timestamptz NOT NULL,
    revoked_by text NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);

-- The signed note is kept whole: the rows of dock_inventory_file say nothing that the note does not.
CREATE TABLE dock_inventory (
    inventory   uuid PRIMARY KEY,
    dock        uuid NOT NULL,
    recorder    text NOT NULL,
    seen_at     timestamptz NOT NULL,
    dock_clock  timestamptz NOT NULL,
    profile     text NOT NULL,
    files       integer NOT NULL CHECK (files >= 0),
    note        text NOT NULL,
    received_at timestamptz NOT NULL,
    entry_id    uuid NOT NULL UNIQUE
);
CREATE INDEX dock_inventory_by_recorder ON dock_inventory (dock, recorder, seen_at);

CREATE TABLE dock_inventory_file (
    inventory   uuid NOT NULL,
    place       bigint NOT NULL,
    path        text NOT NULL,
    raw         boolean NOT NULL,
    size        bigint NOT NULL CHECK (size >= 0),
    modified_at timestamptz NOT NULL,
    recorded_at timestamptz,
    officer     text,
    key_mark    boolean NOT NULL,
    PRIMARY KEY (inventory, place),
    UNIQUE (inventory, path, raw)
);

CREATE TABLE dock_cleared (
    note_sha256 bytea PRIMARY KEY CHECK (octet_length(note_sha256) = 32),
    dock        uuid NOT NULL,
    recorder    text NOT NULL,
    cleared_at  timestamptz NOT NULL,
    files       integer NOT NULL CHECK (files >= 0),
    note        text NOT NULL,
    received_at timestamptz NOT NULL,
    entry_id    uuid NOT NULL UNIQUE
);

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY[
        'staff_token', 'staff_token_revocation', 'dock', 'dock_revocation', 'dock_inventory', 'dock_inventory_file',
        'dock_cleared'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;

-- Passing state ------------------------------------------------------------------------------------------------------

CREATE TABLE dock_enrolment_code (
    code_sha256 bytea PRIMARY KEY CHECK (octet_length(code_sha256) = 32),
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    used_vkey   text,
    CHECK ((used_at IS NULL) = (used_vkey IS NULL))
);

-- A ticket lets its bearer fetch one object for a short while; it is made only after the view is on record.
CREATE TABLE view_ticket (
    ticket        uuid PRIMARY KEY,
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    entry_id      uuid NOT NULL,
    sha256        bytea NOT NULL CHECK (octet_length(sha256) = 32),
    media_type    text NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX view_ticket_by_expiry ON view_ticket (expires_at);

-- The answer to a create that carried an Idempotency-Key, so that a repeat gets it again and creates nothing.
CREATE TABLE stored_answer (
    actor          text NOT NULL,
    route          text NOT NULL,
    key            text NOT NULL,
    request_sha256 bytea NOT NULL CHECK (octet_length(request_sha256) = 32),
    status         integer NOT NULL,
    body           bytea NOT NULL,
    answered_at    timestamptz NOT NULL,
    PRIMARY KEY (actor, route, key)
);
CREATE INDEX stored_answer_by_age ON stored_answer (answered_at);
