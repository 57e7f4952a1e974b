-- Signing in with an OpenID provider: passing state, no evidence. Links themselves are `account_link`, by entries.

-- Answers of the provider that have counted, so that none counts twice; swept after a day.
CREATE TABLE federated_answer (
    state_sha256 bytea PRIMARY KEY CHECK (octet_length(state_sha256) = 32),
    used_at      timestamptz NOT NULL
);
CREATE INDEX federated_answer_by_time ON federated_answer (used_at);

-- People whom the provider knows and no account here is linked with, for an administrator to find; swept and bounded.
CREATE TABLE federated_stranger (
    stranger uuid PRIMARY KEY,
    issuer   text NOT NULL,
    subject  text NOT NULL,
    hint     text,
    first_at timestamptz NOT NULL,
    last_at  timestamptz NOT NULL,
    times    bigint NOT NULL CHECK (times > 0),
    UNIQUE (issuer, subject)
);
CREATE INDEX federated_stranger_by_time ON federated_stranger (last_at);
