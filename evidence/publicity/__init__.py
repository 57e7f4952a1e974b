"""Publicity (行政执法公示): what is told the public, checked before, provable after."""
