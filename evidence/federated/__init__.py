"""Signing in with the agency's provider (OpenID Connect): judging what it says, linking its subjects to accounts."""
