"""Case files: recording-item lists, exhibits, what is said about cases, coverage, archive."""
