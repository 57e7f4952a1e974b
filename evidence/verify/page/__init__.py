"""`verify.html`: the offline verifier as one page for a browser, and what puts it together."""
