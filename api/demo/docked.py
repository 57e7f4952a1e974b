"""What the dock reports of one file, as the demonstration needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DockedFile:
    """One file of the dock's report.

    Attributes:
        name: Slot and path on the recorder.
        trouble: Why it is not receipted, as the dock's journal says it; None when it is.
    """

    name: str
    size: int
    sha256: str | None
    clip: str | None
    trouble: str | None

    @property
    def is_receipted(self) -> bool:
        """Whether the dock holds a verified receipt."""
        return self.clip is not None and self.trouble is None


def read_docked(report: dict[str, Any]) -> tuple[DockedFile, ...]:
    """Return every file in the report of `shilu-dock run --once --json`; files the dock never reads are in it too."""
    files = []
    for slot in report["recorders"]:
        for file in slot["files"]:
            name = f"{slot['slot']}/{file['path']}"
            files.append(DockedFile(name, file["size"], file["sha256"], file["clip"], file["trouble"]))
        for file in slot["not_read"]:
            name = f"{slot['slot']}/{file['path']}"
            files.append(DockedFile(name, 0, None, None, f"{file['code']}: {file['reason']}"))
    return tuple(files)
