"""The witness in the box: `shilu-witness`, a light program that another office runs."""
