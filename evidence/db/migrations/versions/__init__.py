"""One module per revision; released ones never change."""
