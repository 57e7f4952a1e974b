"""Bytes in, seal, jobs and media derivation; see DESIGN.md."""
