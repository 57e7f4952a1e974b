"""The console's files as they are served: read once, compressed once, each with its digest as ETag.

There is no build step: what lies in `static/` is what a browser gets. Three files come from elsewhere: `verify.html`,
to be kept; `verify.js`, its judge without that page's own controls; `hashing_engine.js`, what it hashes with, for a
worker. So the console judges as a court does.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from types import MappingProxyType

from evidence.verify.page.assemble import hashing_module, judging_script
from evidence.verify.page.page import page_bytes

INDEX = "index.html"
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html",
        ".js": "text/javascript",
        ".css": "text/css",
        ".svg": "image/svg+xml",
        ".txt": "text/plain",
    }
)

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types shilu-worker shilu-console shilu-player",
    )
)
"""Content-Security-Policy of the console: its own origin, no inline script or style, no text that becomes code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file of the console.

    Attributes:
        body: Its bytes.
        compressed: The same in gzip (RFC 1952), without a time, so that it is the same each time.
        etag: Quoted digest of the body.
        media_type: By its suffix.
    """

    body: bytes
    compressed: bytes
    etag: str
    media_type: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return every file of the console by its path below `/console/`.

    Raises:
        KeyError: A file in the folder has a suffix that is not served.
    """
    root = files("api.console") / "static"
    found = {
        "verify.js": _asset("verify.js", judging_script().encode()),
        "hashing_engine.js": _asset("hashing_engine.js", hashing_module().encode()),
        "verify.html": _asset("verify.html", page_bytes()),
    }
    for folder in (root, *(entry for entry in root.iterdir() if entry.is_dir())):
        prefix = "" if folder is root else f"{folder.name}/"
        for entry in folder.iterdir():
            if entry.is_file():
                found[prefix + entry.name] = _asset(entry.name, entry.read_bytes())
    return MappingProxyType(found)


def _asset(name: str, body: bytes) -> Asset:
    digest = hashlib.sha256(body).hexdigest()
    return Asset(
        body=body,
        compressed=gzip.compress(body, 9, mtime=0),
        etag=f'"{digest[:32]}"',
        media_type=MEDIA_TYPES[PurePosixPath(name).suffix],
    )
