"""What happened to evidence: the closed list of events and how one is recorded."""
