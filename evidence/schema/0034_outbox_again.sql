-- What administrators do about the outbox by hand; passing state, as cursors and dead letters are.

ALTER TABLE outbox_cursor ADD COLUMN paused_at timestamptz;

-- When a message that was given up is sent again; moved on while somebody is at it, NULL when nobody has asked.
ALTER TABLE outbox_dead ADD COLUMN again_at timestamptz;
CREATE INDEX outbox_dead_again ON outbox_dead (again_at) WHERE again_at IS NOT NULL;
