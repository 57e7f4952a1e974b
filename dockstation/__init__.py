"""The docking station's agent; see DESIGN.md."""
