"""The audit of the house: everything on record held against everything that is there, both ways. See `house`."""
