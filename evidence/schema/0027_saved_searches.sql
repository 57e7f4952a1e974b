-- Questions that people keep: passing state, no evidence. They say what somebody looks for, and nothing of any clip.
CREATE TABLE saved_search (
    search   uuid PRIMARY KEY,
    staff    uuid NOT NULL,
    name     text NOT NULL,
    name_key text NOT NULL,
    question text NOT NULL,
    unit     uuid,
    saved_at timestamptz NOT NULL,
    UNIQUE (staff, name_key)
);
CREATE INDEX saved_search_by_unit ON saved_search (unit, search) WHERE unit IS NOT NULL;

-- When each person asked a kept question last: what came after that is new to them.
CREATE TABLE saved_search_run (
    search uuid NOT NULL REFERENCES saved_search ON DELETE CASCADE,
    staff  uuid NOT NULL,
    run_at timestamptz NOT NULL,
    PRIMARY KEY (search, staff)
);
