"""Write-once, content-addressed storage for originals and derivatives."""
