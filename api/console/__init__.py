"""The console: pages that people work in, as files; every right in them is the API's right."""
