"""The routes, by room: every address of the service as data; see `table`."""
