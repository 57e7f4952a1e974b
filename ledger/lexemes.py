"""The two lexemes that the line formats of a log share: base64 and decimal numbers, each with one spelling per value.

Lenient decoders accept padding bits, line breaks and leading zeros, and so let one signed or hashed thing be spelt in
many ways. Here whatever would not be written back the same is refused (RFC 4648 section 4; C2SP: no leading zeros).
"""

from __future__ import annotations

import base64
import binascii


def format_base64(data: bytes) -> str:
    """Write bytes as standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def parse_base64(text: str) -> bytes:
    """Read what `format_base64` writes.

    Raises:
        ValueError: Another spelling.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if format_base64(data) != text:
        raise ValueError("base64 with stray bits")
    return data


def parse_decimal(text: str, *, maximum: int) -> int:
    """Read a number of ASCII digits without sign or leading zero.

    Raises:
        ValueError: Another spelling, or a number above `maximum`.
    """
    # The length comes first: turning a long row of digits into a number takes quadratic time.
    if len(text) > len(str(maximum)) or not (text.isascii() and text.isdigit()):
        raise ValueError("not a decimal number in its bounds")
    value = int(text)
    if str(value) != text or value > maximum:
        raise ValueError("not a decimal number in its bounds")
    return value
