"""The shilu command."""
