"""Errors of deliveries by controllers. What a status means to the controller: see `ingest/swift/DESIGN.md`."""

from __future__ import annotations

from ingest.errors import IngestError
from ledger.errors import Blame


class SwiftNameInvalid(IngestError):
    """The name of a container or object is refused: too long, not UTF-8, with control characters, or no plain name."""

    code = "swift.name_invalid"


class SwiftMetadataInvalid(IngestError):
    """Metadata are refused: too many, too long, not UTF-8, or with control characters."""

    code = "swift.metadata_invalid"


class SwiftUnsupported(IngestError):
    """Segments, manifests, copies and temporary addresses of Swift are not taken; send each object whole."""

    code = "swift.unsupported"


class SwiftContainerUnknown(IngestError):
    """This account has no such container; create it first."""

    code = "swift.container_unknown"


class SwiftObjectUnknown(IngestError):
    """The container has no such object."""

    code = "swift.object_unknown"


class SwiftForeign(IngestError):
    """The account is another controller's, or what was asked for is not given out again."""

    code = "swift.foreign"


class SwiftKept(IngestError):
    """This object is the service's own word and cannot be replaced."""

    code = "swift.kept"


class SwiftEtagMismatch(IngestError):
    """The bytes are not those of the ETag that came with them; they were dropped, send them again."""

    code = "swift.etag_mismatch"


class SwiftTooLarge(IngestError):
    """The object is longer than is taken, or the container has as many objects as it may have."""

    code = "swift.too_large"


class SwiftSealed(IngestError):
    """The recording is sealed and says something else; what came now is not part of it."""

    code = "swift.sealed"


class SwiftNothingRecorded(IngestError):
    """The recording was called complete and holds no original."""

    code = "swift.nothing_recorded"


class SwiftLost(IngestError):
    """An original of the recording is not here any more; send it again, or keep it where it is."""

    code = "swift.lost"
    blame = Blame.WAY


class SwiftElsewhere(IngestError):
    """The bytes of this recording lie on another host of the service; send to that one."""

    code = "swift.elsewhere"
    blame = Blame.WAY
