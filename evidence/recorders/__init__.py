"""Recorders: the sequence of what docks saw on each of them, and who holds it."""
