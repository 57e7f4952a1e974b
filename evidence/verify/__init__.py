"""Offline verification of evidence, light enough for a court's computer."""
