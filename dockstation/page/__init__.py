"""The station's status page: one file of HTML for the screen above the dock, and the figures it asks for."""
