"""Following a log from outside: a verified full copy (mirror), and a watch over what it says (monitor)."""
