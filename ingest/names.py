"""Names of uploaded files: what is refused, what is kept, and why neither ever reaches the file system.

A name is data. It is stored, searched and shown; the file it belongs to lies under the upload's UUID and later under
its digest, so no name can lead anywhere. Refused, with `upload.name_invalid`, is what could not be shown or exported
again as it came:

- bytes that are not UTF-8 (a dock escapes such names and says so, see `evidence.core.wire.paths`);
- a name of no bytes or of more than `NAME_BYTES_MAX`;
- control characters, NUL among them: U+0000 to U+001F, U+007F to U+009F;
- absolute paths, and paths with an empty, `.` or `..` part: they are no place below a folder.

Everything else is kept exactly as given: spaces, backslashes, emoji, any script, any normal form, direction marks.
"""

from __future__ import annotations

import re

from ingest.errors import UploadNameInvalid

NAME_BYTES_MAX = 1024
"""Longest name or path in bytes of UTF-8, the same as in an inventory."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def parse_path(raw: bytes) -> str:
    """Return the relative POSIX path a client gave for its file; a plain file name is the shortest kind.

    Raises:
        UploadNameInvalid: See the front page.
    """
    if not 0 < len(raw) <= NAME_BYTES_MAX:
        raise UploadNameInvalid(f"the name has {len(raw)} bytes; 1 to {NAME_BYTES_MAX} are allowed", bytes=len(raw))
    try:
        path = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UploadNameInvalid(f"the name is not UTF-8 at byte {error.start}", position=error.start) from error
    if control := _CONTROL.search(path):
        raise UploadNameInvalid(f"the name holds the control character U+{ord(control[0]):04X}")
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise UploadNameInvalid("the name is not a plain relative path")
    return path


def last_part(path: str) -> str:
    """Return the file's own name at the end of its path."""
    return path.rpartition("/")[2]
