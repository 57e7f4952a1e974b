"""HTTP handlers: parse, call the domain, format."""
