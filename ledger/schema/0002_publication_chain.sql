-- Publications as a chain: each row names the one before it, so that one that is gone is missed.
--
-- Not every signed checkpoint is published (one that was withheld gives way to the next), so ledger_checkpoint alone
-- cannot tell. Rows from before this revision name none, and neither does the first of a log.
ALTER TABLE ledger_publication ADD COLUMN previous_size bigint CHECK (previous_size < size);
