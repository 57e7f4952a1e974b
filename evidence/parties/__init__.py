"""Who acts: docks by enrolled key, people by token and role."""
