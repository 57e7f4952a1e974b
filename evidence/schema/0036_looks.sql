-- Tickets of looks at many clips, and which pictures each of them opens. No evidence: rows past their time are removed.
-- What was looked at stands in clip_shown, a projection of the entry.
CREATE TABLE look_ticket (
    ticket        uuid PRIMARY KEY,
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    entry_id      uuid NOT NULL,
    expires_at    timestamptz NOT NULL,
    staff         uuid NOT NULL,
    by_cookie     boolean NOT NULL
);
CREATE INDEX look_ticket_by_expiry ON look_ticket (expires_at);

CREATE TABLE look_picture (
    ticket     uuid NOT NULL REFERENCES look_ticket ON DELETE CASCADE,
    clip       uuid NOT NULL,
    kind       text NOT NULL,
    sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32),
    media_type text NOT NULL,
    PRIMARY KEY (ticket, clip, kind)
);
