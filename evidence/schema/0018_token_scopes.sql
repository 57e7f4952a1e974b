-- Scopes of a staff token: the groups of routes it opens; null for everything that its role may.
ALTER TABLE staff_token ADD COLUMN scopes text[];
