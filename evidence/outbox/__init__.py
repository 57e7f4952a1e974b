"""The outbox: entries of the ledger told to other platforms, signed, in order, each with exactly one effect."""
