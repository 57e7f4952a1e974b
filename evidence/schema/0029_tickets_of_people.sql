-- A view ticket is its person's. No evidence: rows past their time are removed.
ALTER TABLE view_ticket ADD COLUMN staff uuid, ADD COLUMN by_cookie boolean NOT NULL DEFAULT false;
