"""The certificate on paper, in volumes of so many exhibits: typst needs 0.8 MiB for each exhibit of one document.

A package with few exhibits has `certificate.pdf`; one with more has `certificate-001.pdf` and so on, each with the
case, the log, the list of its own exhibits, the method of the check and a place to sign. Those are made one after the
other, each in a process that ends.
"""

from __future__ import annotations

from typing import Final

from evidence.errors import CertificateImpossible
from evidence.export.certificate.facts import Certificate, Opening
from evidence.export.certificate.pdf import certificate_pdf, certificate_pdf_apart
from evidence.export.gathering import Exhibit

CERTIFICATE_NAME: Final = "certificate"
VOLUME_SUFFIX: Final = ".pdf"
VOLUME_EXHIBITS: Final = 100
"""Most exhibits of a volume."""


class Volumes:
    """Volumes in the making; at most one volume's exhibits are kept.

    Attributes:
        impossible: Why there are none, and what to do about it; None as long as they can be made.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._kept: list[Exhibit] = []
        self._done = 0
        self.impossible: str | None = None

    def add(self, exhibit: Exhibit) -> tuple[str, bytes] | None:
        """Take one more exhibit; return a volume's name and bytes when one is full."""
        if self.impossible is None:
            self._kept.append(exhibit)
        return self._made() if len(self._kept) == VOLUME_EXHIBITS else None

    def finish(self) -> tuple[str, bytes] | None:
        """Return the last volume, None when the one before it was."""
        return self._made() if self._kept else None

    def _made(self) -> tuple[str, bytes] | None:
        total, first = len(self._opening.subject.numbered), self._done + 1
        several = total > VOLUME_EXHIBITS
        number, last = self._done // VOLUME_EXHIBITS + 1, self._done + len(self._kept)
        certificate = Certificate.of(
            self._opening.subject,
            self._kept,
            checkpoint=self._opening.checkpoint,
            policy=self._opening.policy,
            volume=f"；本册为第 {number} 册，所载为第 {first} 至第 {last} 件" if several else "",
        )
        self._kept, self._done = [], last
        try:
            pdf = (certificate_pdf_apart if several else certificate_pdf)(certificate.document)
        except CertificateImpossible as error:
            self.impossible = error.message
            return None
        return f"{CERTIFICATE_NAME}{f'-{number:03d}' if several else ''}{VOLUME_SUFFIX}", pdf
