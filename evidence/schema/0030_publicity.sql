-- What is told the public. Evidential, insert-only, a projection of one payload each, as everything in
-- 0002_parties.sql above its line. What is public today follows from these rows and the day; nothing is kept twice.
CREATE TABLE publication_version (
    publication uuid NOT NULL,
    version     integer NOT NULL CHECK (version > 0),
    form        text NOT NULL,
    kind        text NOT NULL,
    fields      jsonb NOT NULL,
    case_id     uuid,
    until       date,
    reason      text NOT NULL,
    drafted_at  timestamptz NOT NULL,
    drafted_by  text NOT NULL,
    entry_id    uuid NOT NULL UNIQUE,
    PRIMARY KEY (publication, version)
);

-- What happened to a version before it was published: scanned, judged, approved.
CREATE TABLE publication_step (
    entry_id    uuid PRIMARY KEY,
    publication uuid NOT NULL,
    version     integer NOT NULL,
    step        text NOT NULL,
    content     jsonb NOT NULL,
    taken_at    timestamptz NOT NULL,
    taken_by    text NOT NULL
);
CREATE INDEX publication_step_of ON publication_step (publication, version, entry_id);

CREATE TABLE publication_issue (
    publication    uuid NOT NULL,
    version        integer NOT NULL,
    form           text NOT NULL,
    kind           text NOT NULL,
    fields         jsonb NOT NULL,
    case_id        uuid,
    decided_on     date,
    effective_from date,
    until          date,
    published_at   timestamptz NOT NULL,
    published_by   text NOT NULL,
    entry_id       uuid NOT NULL UNIQUE,
    PRIMARY KEY (publication, version)
);
CREATE INDEX publication_issue_by_case ON publication_issue (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX publication_issue_until ON publication_issue (until) WHERE until IS NOT NULL;

CREATE TABLE publication_withdrawal (
    publication  uuid PRIMARY KEY,
    version      integer NOT NULL,
    cause        text NOT NULL,
    reason       text NOT NULL,
    withdrawn_at timestamptz NOT NULL,
    withdrawn_by text NOT NULL,
    entry_id     uuid NOT NULL UNIQUE
);

CREATE TABLE publication_term (
    term      uuid PRIMARY KEY,
    kind      text NOT NULL,
    months    integer CHECK (months > 0),
    citation  text NOT NULL,
    stated_at timestamptz NOT NULL,
    stated_by text NOT NULL,
    entry_id  uuid NOT NULL UNIQUE
);

CREATE TABLE publicity_report (
    report      uuid PRIMARY KEY,
    period      text NOT NULL,
    rules       text NOT NULL,
    size        bigint NOT NULL CHECK (size > 0),
    root        bytea NOT NULL CHECK (octet_length(root) = 32),
    figures     jsonb NOT NULL,
    stated      jsonb NOT NULL,
    reported_at timestamptz NOT NULL,
    reported_by text NOT NULL,
    entry_id    uuid NOT NULL UNIQUE
);

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY['publication_version', 'publication_step', 'publication_issue',
                                      'publication_withdrawal', 'publication_term', 'publicity_report'] LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;
