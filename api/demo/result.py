"""What the demonstration has to say at its end, as values and as the JSON object that `--json` prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class DemoClip:
    """One file that was on a recorder.

    Attributes:
        id: The clip's UUID, or None when nothing was sealed.
        file: Path on the recorder, recorder first.
        size: Bytes.
        sha256: Hex digest of the original, or None when nothing was sealed.
        index: Position of the sealing entry in the log, or None.
        state: `reviewable`, `still`, `audio`, `undecodable`, or `refused: <code>`.
        verified: Whether the exported original passed every offline check.
    """

    id: str | None
    file: str
    size: int
    sha256: str | None
    index: int | None
    state: str
    verified: bool


@dataclass(frozen=True, slots=True)
class DemoLog:
    """The log as its last checkpoint states it; `root` is base64 as in the checkpoint."""

    origin: str
    vkey: str
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The whole demonstration; see the field names' classes.

    Attributes:
        verified: Every file was sealed and verified offline, the audit was clean, the planted fault was named.
        seconds: Wall time, whole seconds rounded up.
    """

    verified: bool
    clips: tuple[DemoClip, ...]
    log: DemoLog
    url: str
    data: str
    seconds: int

    def as_json(self) -> dict[str, object]:
        """Return the object that `shilu demo --json` prints."""
        return asdict(self)
