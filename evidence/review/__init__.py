"""Legal review (法制审核): scope, rounds and opinions over an evidence root, the gate before a decision."""
