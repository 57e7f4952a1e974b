"""The domain: clips, cases, custody, annotations, search, verification; see DESIGN.md."""
