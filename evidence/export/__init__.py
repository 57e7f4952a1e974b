"""Evidence leaving the house: self-contained folders that anybody can verify offline."""
