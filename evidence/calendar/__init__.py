"""Working days of China and clocks that run on them."""
