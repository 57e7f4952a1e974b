"""Who may do what with which footage: pure rules, grants and classes on record, and what a search may show."""
