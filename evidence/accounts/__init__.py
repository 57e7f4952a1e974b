"""Accounts: people who sign in with a name and a password, one-time codes, sessions; see DESIGN.md."""
