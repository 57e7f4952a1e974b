-- What verifying the files of a case has come to before it is archived: passing state, no evidence. It spares a request
-- that goes on what the one before has read; the archive's own entry says what was frozen.
CREATE TABLE case_check (
    case_id    uuid NOT NULL,
    clip       uuid NOT NULL,
    codes      text[] NOT NULL,
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, clip)
);

-- The sheet of an assessment (案卷评查评分表), row by row; an assessment from before has none.
ALTER TABLE case_sample_score ADD COLUMN sheet jsonb;
