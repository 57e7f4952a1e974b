-- What the search asks for besides (evidence/clips/nearby.py, derived_facts.py): where a clip was recorded, as latitude
-- and longitude in turn, in millionths of a degree; and what was noticed about the recorder it came from.
ALTER TABLE search_document ADD COLUMN places integer[] NOT NULL DEFAULT '{}';

-- Whether one of some places lies within a circle on the sphere of the earth's mean radius.
CREATE FUNCTION search_is_near(places integer[], latitude integer, longitude integer, metres integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 200 RETURN EXISTS (
    SELECT FROM generate_series(1, cardinality(places) - 1, 2) AS i
    WHERE 2 * 6371008.8 * asin(least(1.0::float8, sqrt(
        sin(radians((places[i] - latitude)::float8 / 2000000)) ^ 2
        + cos(radians(latitude::float8 / 1000000)) * cos(radians(places[i]::float8 / 1000000))
        * sin(radians((places[i + 1]::bigint - longitude)::float8 / 2000000)) ^ 2))) <= metres);

CREATE INDEX clip_source_by_inventory ON clip_source (inventory) WHERE inventory IS NOT NULL;
CREATE INDEX recorder_finding_by_inventory ON recorder_finding (inventory) WHERE weight <> 'info';
