"""Figures at a checkpoint, and random samples whose seed was committed before drawing."""
