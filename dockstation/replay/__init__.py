"""Replay: recorders that are not there, docked, pulled, swapped and failing by a script."""
