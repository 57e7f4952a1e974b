"""Composition root, HTTP interface and command line; see DESIGN.md."""
