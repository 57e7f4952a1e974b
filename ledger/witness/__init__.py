"""The witness: judges what logs say of themselves, remembers the newest, cosigns what follows from it."""
