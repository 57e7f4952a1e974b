"""The demonstration: real processes, one data folder."""
