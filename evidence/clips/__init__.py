"""Clips, their annotations and the search over them."""
