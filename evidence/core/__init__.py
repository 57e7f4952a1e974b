"""The light half of the house: time, identifiers, digests, durable files, wire formats."""
