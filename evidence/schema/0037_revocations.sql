-- What became of decisions: revoked, changed, found unlawful. Evidential, insert-only, a projection of one payload each.
CREATE TABLE decision_revocation (
    case_id    uuid NOT NULL,
    number     integer NOT NULL CHECK (number > 0),
    decision   uuid NOT NULL,
    effect     text NOT NULL,
    basis      text NOT NULL,
    document   text NOT NULL,
    authority  text NOT NULL,
    took_effect_on date NOT NULL,
    reason     text NOT NULL,
    stated_by  text NOT NULL,
    stated_at  timestamptz NOT NULL,
    entry_id   uuid NOT NULL UNIQUE,
    PRIMARY KEY (case_id, number)
);

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON decision_revocation
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
