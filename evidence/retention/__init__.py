"""How long a clip is kept, what holds it, and how it is disposed of."""
