"""The files of a package: a bag (BagIt 1.0) with one evidence folder per exhibit, and what people and machines read.

```
shilu-<case or clip>/
  bagit.txt  bag-info.txt  manifest-sha256.txt  checksums-sm3.txt  tagmanifest-sha256.txt
  README.txt  verify.html  log.policy  log.keys
  export.trace                         receipt of the entry that commits to manifest-sha256.txt
  data/package.json                    what is in it, for machines
  data/case-uco.jsonld                 the same in the words of CASE/UCO
  data/certificate.html  .pdf          电子数据证据说明, for people; on paper in volumes where there are many exhibits
  data/exhibits/0001/<name>            the original, with all that lies beside it in an evidence folder
  data/exhibits/0002/<name>.excerpt    or an excerpt in its place: which chunks and seconds, with proofs,
  data/exhibits/0002/<name>.chunks     and the chunks
  data/exhibits/0001/custody.receipts  everything on record about it, each entry with its proof
  data/exhibits/0001/annotation.json  trail.json
  data/case.archive                    of an archived case as a whole: the receipt of what was frozen
  data/documents/0001/<name>           and its documents, each like an exhibit
  data/review.receipts                 of a case with all its exhibits: everything on record about its legal review
```

An exhibit has a folder of its own, so names that are equal, or cannot be file names, meet nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import structlog

from evidence.core.wire.bag import TRACE_NAME
from evidence.export.case_uco import CONTEXT, case_nodes, exhibit_nodes
from evidence.export.certificate.facts import Certificate, Opening, closing, exhibit_section, listed_line
from evidence.export.certificate.page import foot_html, head_html, section_html, title_of
from evidence.export.certificate.volumes import CERTIFICATE_NAME, VOLUME_SUFFIX, Volumes
from evidence.export.enclosing import Enclosed
from evidence.export.gathering import Exhibit, Subject
from evidence.export.members import Member, Payload, Plan, Stored, make_plan, small, spilled
from evidence.export.names import safe_name
from evidence.export.showing import Showing
from evidence.export.spool import JsonList, Spilled, Spool, dumped, weave
from evidence.verify.archived import ANNOTATION_NAME, CASE_NAME, CUSTODY_NAME, SHELVES
from evidence.verify.bag_readme import bag_readme_text
from evidence.verify.excerpt_statement import format_excerpt, told_body
from evidence.verify.package import CHUNKS_SUFFIX, DOCK_SUFFIX, EXCERPT_SUFFIX, LEAVES_SUFFIX, PAGE_NAME, README_NAME
from evidence.verify.page.page import page_bytes
from evidence.verify.rounds import REVIEW_NAME
from ledger.canonical import JsonObject
from ledger.publish import stored_checkpoint

FORMAT: Final = "shilu/package/v1"

_log = structlog.get_logger(__name__)


def certificate_of(showing: Showing, subject: Subject, exhibits: Sequence[Exhibit]) -> Certificate:
    """Return what the certificate says."""
    return Certificate.of(subject, exhibits, checkpoint=_asof(showing), policy=showing.policy)


class Packing:
    """A payload in the making, an exhibit after the other: only what is listed of each is kept in memory.

    The same exhibits as of the same checkpoint are the same bytes. Methods block and raise `OSError` when the spool's
    disk is full or fails; call them one after the other.

    Args:
        showing: Whose policy and keys go along.
        subject: What the package is about.
        spool: Takes the small files until the package is written.
    """

    def __init__(self, showing: Showing, subject: Subject, spool: Spool) -> None:
        self._showing, self._subject, self._spool = showing, subject, spool
        self._opening = Opening(subject, checkpoint=_asof(showing), policy=showing.policy)
        self._trust = [small(name, data) for name, data in showing.trust().items()]
        self._members: list[Member] = []
        self._exhibits, self._documents = (JsonList(spool, shelf) for shelf in SHELVES)
        self._graph = JsonList(spool, "@graph")
        self._lines: list[tuple[str, ...]] = []
        self._sections: list[Spilled] = []
        self._volumes = Volumes(self._opening)

    def add(self, exhibit: Exhibit) -> None:
        """Take one exhibit, or one document of an archived case."""
        self._members += self._files_of(exhibit)
        if exhibit.shelf != SHELVES[0]:
            self._documents.add(_listed_file(exhibit))
            return
        self._exhibits.add(_listed_file(exhibit))
        for node in exhibit_nodes(exhibit, self._opening.origin):
            self._graph.add(node)
        section = exhibit_section(exhibit, first=not self._sections)
        self._sections.append(self._spool.put(section_html(section).encode()))
        self._lines.append(listed_line(exhibit))
        self._keep(self._volumes.add(exhibit))

    def finish(self, *, archive: bytes | None = None, review: bytes | None = None) -> Payload:
        """Return what is handed over.

        Args:
            archive: The receipt of what was frozen of an archived case.
            review: Receipts of the case's legal review, see `evidence.export.reviewed`.
        """
        self._keep(self._volumes.finish())
        if self._volumes.impossible is not None:
            _log.warning("export.no_pdf", reason=self._volumes.impossible)
            self._members = [one for one in self._members if not one.path.endswith(VOLUME_SUFFIX)]
        said = {**_said(self._showing, self._subject), "exhibits": self._exhibits.place}
        if self._documents.items:
            said["documents"] = self._documents.place
        graph = {"@context": CONTEXT, "@graph": [*self._graph.place, *case_nodes(self._subject)]}
        self._members += [
            spilled("data/package.json", weave(self._spool, said, self._exhibits, self._documents)),
            spilled("data/case-uco.jsonld", weave(self._spool, graph, self._graph)),
            spilled(f"data/{CERTIFICATE_NAME}.html", self._page()),
        ]
        if archive is not None:
            self._members.append(small(f"data/{CASE_NAME}", archive))
        if review is not None:
            self._members.append(spilled(f"data/{REVIEW_NAME}", self._spool.put(review)))
        return Payload(tuple(self._members))

    def _page(self) -> Spilled:
        document = self._opening.document(self._lines)
        first, last = document.sections[0], "".join(map(section_html, closing()))
        head = f"{head_html(title_of(document), document)}{section_html(first)}"
        return self._spool.join(
            [
                self._spool.put(head.encode()),
                *self._sections,
                self._spool.put(f"{last}{foot_html(document)}".encode()),
            ]
        )

    def _keep(self, volume: tuple[str, bytes] | None) -> None:
        if volume is not None:
            name, pdf = volume
            self._members.append(spilled(f"data/{name}", self._spool.put(pdf)))

    def _files_of(self, exhibit: Exhibit) -> Iterator[Member]:
        folder, name, sealed = folder_of(exhibit), file_name_of(exhibit), exhibit.proven.sealed
        digest, enclosed = sealed.digest, exhibit.enclosed
        if enclosed is None:
            source = Stored(sha256=digest.sha256, leaves=exhibit.leaves, size=digest.size, runs=((0, digest.chunks),))
            yield Member(path=f"{folder}/{name}", size=digest.size, sha256=digest.sha256, sm3=digest.sm3, source=source)
            proofs = {f"{name}{LEAVES_SUFFIX}": exhibit.leaves}
        else:
            yield Member(
                path=f"{folder}/{name}{CHUNKS_SUFFIX}",
                size=enclosed.stored.length,
                sha256=enclosed.sha256,
                sm3=enclosed.sm3,
                source=enclosed.stored,
            )
            proofs = {f"{name}{EXCERPT_SUFFIX}": format_excerpt(enclosed.statement)}
        files: dict[str, bytes] = {
            **proofs,
            CUSTODY_NAME: exhibit.custody_bytes,
            "trail.json": _json(exhibit.trail),
            **({} if exhibit.annotation is None else {ANNOTATION_NAME: _json(exhibit.annotation)}),
            **({} if exhibit.proven.dock is None else {f"{name}{DOCK_SUFFIX}": exhibit.proven.dock}),
            **self._showing.proofs(name, exhibit.proven.shown),
        }
        for beside, data in files.items():
            yield spilled(f"{folder}/{beside}", self._spool.put(data))
        for one in self._trust:
            yield replace(one, path=f"{folder}/{one.path}")


def _asof(showing: Showing) -> bytes:
    if showing.asof is None:
        raise ValueError("a package is made as of a checkpoint")
    return showing.asof


def plan_of(
    showing: Showing,
    subject: Subject,
    payload: Payload,
    *,
    export: str,
    purpose: str,
    at: datetime,
    trace: bytes | None,
) -> Plan:
    """Put everything else around a payload; see `evidence.export.members.make_plan`."""
    root = root_name(subject)
    beside = {
        README_NAME: bag_readme_text(traced=trace is not None),
        PAGE_NAME: page_bytes(),
        **showing.trust(),
        **({} if trace is None else {TRACE_NAME: trace}),
    }
    info = [
        ("Source-Organization", stored_checkpoint(showing.asof or b"").origin),
        ("External-Identifier", export),
        ("External-Description", f"Shilu evidence package, {FORMAT}, purpose: {purpose}"),
        *((("Internal-Sender-Identifier", subject.case.number),) if subject.case is not None else ()),
    ]
    return make_plan(root, payload, beside=beside, info=info, at=at)


def root_name(subject: Subject) -> str:
    """Return the name of a package's folder."""
    about = subject.case.number if subject.case is not None else str(subject.numbered[0][1])
    return f"shilu-{safe_name(about, fallback=str(subject.numbered[0][1]))}"


def folder_of(exhibit: Exhibit) -> str:
    """Return where the files of an exhibit lie."""
    return f"data/{exhibit.shelf}/{exhibit.number:04d}"


def file_name_of(exhibit: Exhibit) -> str:
    """Return what the original is called there."""
    # Bag tools disagree on how a per cent sign is written in a list; without one they cannot.
    name = safe_name(exhibit.proven.sealed.name, fallback=str(exhibit.clip)).replace("%", "_")
    return f"_{name}" if name in {CUSTODY_NAME, ANNOTATION_NAME, "trail.json"} else name


def _said(showing: Showing, subject: Subject) -> JsonObject:
    checkpoint = stored_checkpoint(_asof(showing))
    case = subject.case
    return {
        "format": FORMAT,
        "log": {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()},
        "case": None
        if case is None
        else {"case": str(case.case_id), "number": case.number, "title": case.title, "entry": str(case.entry_id)},
    }


def _listed_file(exhibit: Exhibit) -> JsonObject:
    sealed, enclosed = exhibit.proven.sealed, exhibit.enclosed
    place = f"{folder_of(exhibit)}/{file_name_of(exhibit)}"
    return {
        "number": exhibit.number,
        "clip": str(exhibit.clip),
        "name": sealed.name,
        "enclosed": "original" if enclosed is None else "excerpt",
        "file": place if enclosed is None else None,
        **({} if enclosed is None else {"excerpt": _listed_excerpt(enclosed, place)}),
        "size": sealed.digest.size,
        "sha256": sealed.digest.sha256.hex(),
        "sm3": sealed.digest.sm3.hex() if sealed.digest.sm3 else None,
        "root": sealed.digest.root.hex(),
        "index": exhibit.proven.index,
        "observations": [dict(one) for one in exhibit.observations],
    }


def _listed_excerpt(enclosed: Enclosed, place: str) -> JsonObject:
    statement = enclosed.statement
    return {
        "statement": f"{place}{EXCERPT_SUFFIX}",
        "chunks": f"{place}{CHUNKS_SUFFIX}",
        "sha256": enclosed.sha256.hex(),
        "bytes": statement.held_bytes,
        "left_out_bytes": enclosed.left_out_bytes,
        "runs": [{"first": run.first, "chunks": run.chunks} for run in statement.runs],
        # By the service's word: bytes are proved, seconds are not.
        "seconds": [told_body(one) for one in statement.spans],
    }


def _json(value: Any) -> bytes:
    return f"{dumped(value)}\n".encode()
