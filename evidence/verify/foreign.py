"""What lies in an evidence folder for people, `README.txt` and `verify.html`, held against what this version writes.

Neither is needed to verify anything, and both could lead a reader astray: a forged page says "verified" to everything.
So a difference is told, as a warning: it may also come from another version of Shilu. The page itself cannot do this,
because a page that was forged would not; `shilu-verify` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from evidence.core.wire.sealed import SealedClip
from evidence.verify.findings import finding
from evidence.verify.package import PAGE_NAME, README_NAME, Item, Package
from evidence.verify.page.page import page_bytes
from evidence.verify.readme import excerpt_readme_text, readme_text
from ledger.findings import Finding


def foreign_files(package: Package, sealed: Mapping[Path, SealedClip]) -> Iterator[Finding]:
    """Name the files for people that this version would have written otherwise.

    Args:
        package: Where they lie.
        sealed: What the receipts state of the originals, as far as they can be read.
    """
    folder = package.items[0].file.parent
    if package.page is not None and package.page != page_bytes():
        yield finding("package.page_differs", f"file:{folder / PAGE_NAME}", version=_version())
    if package.readme is not None and package.readme not in _readmes(package.items, sealed):
        yield finding("package.readme_differs", f"file:{folder / README_NAME}", version=_version())


def _readmes(items: tuple[Item, ...], sealed: Mapping[Path, SealedClip]) -> Iterator[bytes]:
    for item in items:
        if (clip := sealed.get(item.file)) is not None:
            name, dock, authorities = item.file.name, item.dock() is not None, item.authorities()
            if item.excerpt() is None:
                yield readme_text(clip, file_name=name, dock=dock, authorities=authorities)
                continue
            cut = item.cut()
            copy = None if cut is None else cut.name
            yield excerpt_readme_text(clip, file_name=name, cut=copy, dock=dock, authorities=authorities)


def _version() -> str:
    try:
        return version("shilu")
    except PackageNotFoundError:
        return "unknown"
