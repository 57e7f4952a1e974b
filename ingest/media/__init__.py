"""Pure functions from a media file to a result; the only place for av and numpy."""
