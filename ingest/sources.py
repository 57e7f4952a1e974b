"""What an upload's metadata say about where its file comes from, judged before a byte is taken.

Staff state a file name. A dock states the inventory, the recorder and the path, and whether the path is escaped; what
it states must stand in an inventory that it signed before, with the same recorder and the same size.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from evidence.parties.inventory_store import Inventoried
from ingest.errors import UploadMetadataInvalid, UploadNameInvalid, UploadNotInventoried
from ingest.names import last_part, parse_path
from ingest.store import Source

METADATA_KEYS_MAX = 32
METADATA_BYTES_MAX = 8192
"""Bytes of all keys and values together, after base64."""

_STAFF_NAME_KEYS = ("filename", "name")
"""Where clients in the field put the name: tus-js-client and Uppy use the first, some others the second."""


def parse_metadata(metadata: Mapping[str, bytes]) -> dict[str, str]:
    """Return metadata as text.

    Raises:
        UploadNameInvalid: A value is not UTF-8 or holds a NUL; names are where that happens.
        UploadMetadataInvalid: There are too many, or they are too long.
    """
    size = sum(len(key) + len(value) for key, value in metadata.items())
    if len(metadata) > METADATA_KEYS_MAX or size > METADATA_BYTES_MAX:
        raise UploadMetadataInvalid(
            f"at most {METADATA_KEYS_MAX} keys and {METADATA_BYTES_MAX} bytes of metadata are taken", bytes=size
        )
    texts = {}
    for key, value in metadata.items():
        try:
            texts[key] = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UploadNameInvalid(f"{key} is not UTF-8 at byte {error.start}", key=key) from error
        if "\0" in texts[key]:
            raise UploadNameInvalid(f"{key} holds a NUL", key=key)
    return texts


def staff_source(metadata: Mapping[str, bytes]) -> Source:
    """Return the source of a file that a person sends.

    Raises:
        UploadNameInvalid: The name is missing or refused, see `ingest.names`.
    """
    raw = next((metadata[key] for key in _STAFF_NAME_KEYS if key in metadata), b"")
    path = parse_path(raw)
    return Source(name=last_part(path), path=path)


class DockClaim:
    """What a dock's metadata claim; `key` names it for the inventory's table.

    Raises:
        UploadMetadataInvalid: A field is missing or malformed.
        UploadNameInvalid: The path is refused, see `ingest.names`.
    """

    def __init__(self, metadata: Mapping[str, bytes], *, dock: UUID) -> None:
        texts = parse_metadata(metadata)
        if missing := [key for key in ("inventory", "path", "recorder") if key not in texts]:
            raise UploadMetadataInvalid(f"a dock states {' and '.join(missing)}", missing=missing)
        if texts.get("raw", "false") not in ("true", "false"):
            raise UploadMetadataInvalid("raw is true or false")
        try:
            self.inventory = UUID(texts["inventory"])
        except ValueError as error:
            raise UploadMetadataInvalid("inventory is not a UUID") from error
        self.dock = dock
        self.recorder = texts["recorder"]
        self.path = parse_path(metadata["path"])
        self.raw = texts.get("raw") == "true"

    def settle(self, stated: Inventoried | None, *, length: int | None) -> Source:
        """Return the source after comparing the claim with what the dock stated in its inventory.

        Raises:
            UploadNotInventoried: It stated no such file, another recorder, or another size.
        """
        if stated is None:
            raise UploadNotInventoried("this dock's inventory does not list the file", path=self.path)
        if stated.recorder != self.recorder:
            raise UploadNotInventoried(f"the inventory is of recorder {stated.recorder}", recorder=stated.recorder)
        if length is not None and length != stated.size:
            raise UploadNotInventoried(f"the inventory states {stated.size} bytes", stated=stated.size, length=length)
        return Source(
            name=last_part(self.path),
            path=self.path,
            raw=self.raw,
            recorder=stated.recorder,
            dock=self.dock,
            inventory=self.inventory,
            recorded_at=stated.recorded_at,
            officer=stated.officer,
            key_mark=stated.key_mark,
        )
