"""Two documents for a controller: the connection file it is set up with, and the capabilities it asks for.

Both are JSON as the published description of the content destination API states them. The connection file holds the
controller's key in the clear: it is made once, handed over, and not kept here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ingest.swift.errors import SwiftTooLarge

FILE_BYTES_MAX = 65_536
URIS_MAX = 10
URI_CHARS_MAX = 512
SITE_CHARS_MAX = 64

AUTH_PATH = "/auth/v1.0"

CAPABILITIES: bytes = json.dumps(
    {
        "Read": {"ReadCategories": False},
        "Store": {
            "StoreBookmarks": True,
            "StoreGNSSTrackRecording": True,
            "StoreRejectedContent": True,
            "StoreSignedVideo": True,
            "StoreUserIDKey": True,
        },
        "StoreAndRead": {"StoreReadSystemID": True},
    }
).encode()
"""What is kept, and what can be read again. Categories are the reviewers' words here: none are handed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What a controller is told.

    Attributes:
        site: Name that its administrator sees.
        version: Of this service.
        urls: Where the service is reached, without a slash at the end.
        certificates: PEM files it is to trust; without one it speaks HTTP.
        media: `mkv` or `mp4`.
        public_key: PEM of the RSA key that recordings are to be encrypted for, and its name; None for no encryption.
    """

    controller: UUID
    key: str = field(repr=False)
    site: str
    version: str
    urls: Sequence[str]
    certificates: Sequence[bytes] = ()
    media: str = "mkv"
    public_key: tuple[str, bytes] | None = None


def format_connection(connection: Connection) -> bytes:
    """Write a connection file.

    Raises:
        SwiftTooLarge: It would be longer than a controller takes, or has more addresses.
    """
    uris = [url + AUTH_PATH for url in connection.urls]
    if not 0 < len(uris) <= URIS_MAX or max(map(len, uris)) > URI_CHARS_MAX or len(connection.site) > SITE_CHARS_MAX:
        raise SwiftTooLarge(
            f"a controller takes 1 to {URIS_MAX} addresses of {URI_CHARS_MAX} characters, and a site name of"
            f" {SITE_CHARS_MAX}"
        )
    name, pem = connection.public_key or ("", b"")
    document = {
        "ConnectionFileVersion": "1.0",
        "SiteName": connection.site,
        "ApplicationName": "Shilu",
        "ApplicationVersion": connection.version,
        "ContentDestinationAsNTPServer": False,
        "AuthenticationTokenURI": uris,
        **({"HTTPSCertificate": [_base64(one) for one in connection.certificates]} if connection.certificates else {}),
        "BlobAPIKey": connection.key,
        "BlobAPIUserName": str(connection.controller),
        "ContainerType": connection.media,
        "FullStoreAndReadSupport": False,
        "WantEncryption": bool(pem),
        **({"PublicKey": _base64(pem), "PublicKeyId": name} if pem else {}),
    }
    text = json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
    if len(text) > FILE_BYTES_MAX:
        raise SwiftTooLarge(f"the connection file has {len(text)} bytes, a controller takes {FILE_BYTES_MAX}")
    return text


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
