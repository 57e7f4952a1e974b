-- What controllers are bringing, until it is sealed. State of work under way, as in 0001: nothing here is evidence.

CREATE TABLE swift_container (
    controller uuid NOT NULL,
    name       text NOT NULL,
    recording  uuid NOT NULL UNIQUE,                  -- the id it will be on record under
    spool      uuid NOT NULL,                         -- the host that holds its bytes, see upload
    metadata   jsonb NOT NULL,
    state      text NOT NULL CHECK (state IN ('register', 'transferring', 'sealing', 'sealed')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (controller, name)
);
CREATE INDEX swift_container_unfinished ON swift_container (spool) WHERE state = 'sealing';

-- Only whole objects have a row. The bytes of an original lie in its upload, those of everything else here until the seal.
CREATE TABLE swift_object (
    controller uuid NOT NULL,
    container  text NOT NULL,
    name       text NOT NULL,
    kind       text NOT NULL,
    upload     uuid,
    body       bytea,
    sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32),
    md5        text NOT NULL,
    size       bigint NOT NULL CHECK (size >= 0),
    metadata   jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (controller, container, name),
    FOREIGN KEY (controller, container) REFERENCES swift_container (controller, name)
);
