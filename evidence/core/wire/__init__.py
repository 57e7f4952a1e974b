"""Wire formats between dock, service and verifier: inventory, manifest, cleared list, receipt. See DESIGN.md here."""
