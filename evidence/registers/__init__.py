"""Registers: units, officers, recorders and where docks stand; and whose a clip is."""
