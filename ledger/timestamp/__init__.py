"""Time stamps of strangers (RFC 3161): asked for, taken apart, judged; values in, values out."""
