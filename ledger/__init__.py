"""Append-only tree, notes, checkpoints and proofs over opaque entries; see DESIGN.md."""
