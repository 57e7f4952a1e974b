"""The files of a package: a bag (BagIt 1.0) with one evidence folder per exhibit, and what people and machines read.

```
shilu-<case or clip>/
  bagit.txt  bag-info.txt  manifest-sha256.txt  checksums-sm3.txt  tagmanifest-sha256.txt
  README.txt  verify.html  log.policy  log.keys
  export.trace                         receipt of the entry that commits to manifest-sha256.txt
  data/package.json                    what is in it, for machines
  data/case-uco.jsonld                 the same in the words of CASE/UCO
  data/certificate.html  .pdf          电子数据证据说明, for people
  data/exhibits/0001/<name>            the original, with all that lies beside it in an evidence folder
  data/exhibits/0001/custody.receipts  everything on record about it, each entry with its proof
  data/exhibits/0001/annotation.json  trail.json
  data/case.archive                    of an archived case as a whole: the receipt of what was frozen
  data/documents/0001/<name>           and its documents, each like an exhibit
```

An exhibit has a folder of its own, so names that are equal, or cannot be file names, meet nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from evidence.core.wire.bag import TRACE_NAME
from evidence.export.archived import ArchivedCase
from evidence.export.case_uco import case_uco
from evidence.export.certificate.facts import Certificate
from evidence.export.certificate.page import certificate_html
from evidence.export.gathering import Exhibit, Subject
from evidence.export.members import Member, Payload, Plan, Stored, make_plan, small
from evidence.export.names import safe_name
from evidence.export.showing import Showing
from evidence.verify.archived import ANNOTATION_NAME, CASE_NAME, CUSTODY_NAME
from evidence.verify.bag_readme import bag_readme_text
from evidence.verify.package import DOCK_SUFFIX, LEAVES_SUFFIX, PAGE_NAME, README_NAME
from evidence.verify.page.page import page_bytes
from ledger.canonical import JsonObject
from ledger.publish import stored_checkpoint

CERTIFICATE_NAME: Final = "certificate"
FORMAT: Final = "shilu/package/v1"


def payload_of(
    showing: Showing,
    subject: Subject,
    exhibits: Sequence[Exhibit],
    *,
    pdf: bytes | None = None,
    archived: ArchivedCase | None = None,
) -> Payload:
    """Return what is handed over; the same exhibits as of the same checkpoint are the same bytes.

    Args:
        showing: Whose policy and keys go along.
        subject: What the package is about.
        exhibits: Its exhibits, in order.
        pdf: The certificate for the printer, where it could be made.
        archived: What was frozen, where it is an archived case as a whole.
    """
    certificate = certificate_of(showing, subject, exhibits)
    documents = () if archived is None else archived.documents
    members = [
        small("data/package.json", _json(_listed(showing, subject, exhibits, documents))),
        small("data/case-uco.jsonld", _json(case_uco(subject, exhibits, origin=certificate.origin))),
        small(f"data/{CERTIFICATE_NAME}.html", certificate_html(certificate).encode()),
        *((small(f"data/{CERTIFICATE_NAME}.pdf", pdf),) if pdf is not None else ()),
    ]
    if archived is not None:
        members.append(small(f"data/{CASE_NAME}", archived.receipt))
    for exhibit in (*exhibits, *documents):
        members += _exhibit_members(showing, exhibit)
    return Payload(tuple(members))


def certificate_of(showing: Showing, subject: Subject, exhibits: Sequence[Exhibit]) -> Certificate:
    """Return what the certificate says."""
    if showing.asof is None:
        raise ValueError("a package is made as of a checkpoint")
    return Certificate.of(subject, exhibits, checkpoint=showing.asof, policy=showing.policy)


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


def _exhibit_members(showing: Showing, exhibit: Exhibit) -> Iterator[Member]:
    folder, name, sealed = folder_of(exhibit), file_name_of(exhibit), exhibit.proven.sealed
    digest = sealed.digest
    source = Stored(sha256=digest.sha256, leaves=exhibit.leaves, size=digest.size, runs=((0, digest.chunks),))
    yield Member(path=f"{folder}/{name}", size=digest.size, sha256=digest.sha256, sm3=digest.sm3, source=source)
    files: dict[str, bytes] = {
        f"{name}{LEAVES_SUFFIX}": exhibit.leaves,
        CUSTODY_NAME: exhibit.custody_bytes,
        "trail.json": _json(exhibit.trail),
        **({} if exhibit.annotation is None else {ANNOTATION_NAME: _json(exhibit.annotation)}),
        **({} if exhibit.proven.dock is None else {f"{name}{DOCK_SUFFIX}": exhibit.proven.dock}),
        **showing.proofs(name, exhibit.proven.shown),
        **showing.trust(),
    }
    for beside, data in files.items():
        yield small(f"{folder}/{beside}", data)


def _listed(
    showing: Showing, subject: Subject, exhibits: Sequence[Exhibit], documents: Sequence[Exhibit]
) -> JsonObject:
    checkpoint = stored_checkpoint(showing.asof or b"")
    case = subject.case
    return {
        "format": FORMAT,
        "log": {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()},
        "case": None
        if case is None
        else {"case": str(case.case_id), "number": case.number, "title": case.title, "entry": str(case.entry_id)},
        "exhibits": [_listed_file(exhibit) for exhibit in exhibits],
        **({"documents": [_listed_file(document) for document in documents]} if documents else {}),
    }


def _listed_file(exhibit: Exhibit) -> JsonObject:
    sealed = exhibit.proven.sealed
    return {
        "number": exhibit.number,
        "clip": str(exhibit.clip),
        "name": sealed.name,
        "file": f"{folder_of(exhibit)}/{file_name_of(exhibit)}",
        "size": sealed.digest.size,
        "sha256": sealed.digest.sha256.hex(),
        "sm3": sealed.digest.sm3.hex() if sealed.digest.sm3 else None,
        "root": sealed.digest.root.hex(),
        "index": exhibit.proven.index,
        "observations": [dict(one) for one in exhibit.observations],
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
