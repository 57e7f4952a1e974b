-- By which calendar and rules of the agency the search index says what came late: passing state, one row; none while it
-- is what the program brings along. Documents that another calendar or other rules change are written again.
CREATE TABLE search_term (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    calendar uuid,
    rules    uuid
);
