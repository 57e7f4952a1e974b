"""Continuity observations: what a file's own bookkeeping says about whether it is one uninterrupted recording."""
