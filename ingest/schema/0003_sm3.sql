-- SM3 of the whole file, kept with the intent to seal it, where the house computes it.
ALTER TABLE upload ADD COLUMN sm3 bytea CHECK (octet_length(sm3) = 32);
