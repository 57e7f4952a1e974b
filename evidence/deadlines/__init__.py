"""Clocks that the law runs: when they began, how long they run, what stopped them, and what proves that they ended."""
