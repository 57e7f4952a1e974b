"""A package in the words of CASE/UCO (JSON-LD): files, their digests, the investigation, and what was done. Pure.

Classes and properties are those of UCO 1.4 and CASE 1.4 (`uco-observable:File` with `FileFacet` and `ContentDataFacet`,
`case-investigation:ProvenanceRecord` and `InvestigativeAction`); what they have no word for, the ledger, is said in
`core:description`. Names are held against the published vocabulary by a list in the tests; the ontology's own checker
(case-utils) is not used: it brings rdflib and pyshacl and 20 more pins for a file that has eight classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID, uuid5

from evidence.core.clock import format_time
from evidence.export.enclosing import Enclosed
from evidence.export.gathering import Exhibit, Subject
from evidence.verify.package import CHUNKS_SUFFIX
from ledger.canonical import JsonObject, JsonValue

CONTEXT: Final[JsonObject] = {
    "kb": "urn:shilu:",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "uco-vocabulary": "https://ontology.unifiedcyberontology.org/uco/vocabulary/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def case_uco(subject: Subject, exhibits: Sequence[Exhibit], *, origin: str) -> JsonObject:
    """Return a package's graph; ids follow from the clips', so the same exhibits give the same graph."""
    nodes = [node for exhibit in exhibits for node in exhibit_nodes(exhibit, origin)]
    return {"@context": CONTEXT, "@graph": [*nodes, *case_nodes(subject)]}


def case_nodes(subject: Subject) -> list[JsonValue]:
    """Return what stands behind the exhibits in a graph: the investigation, where there is a case."""
    if subject.case is None:
        return []
    case = subject.case
    return [
        {
            "@id": f"kb:investigation-{case.case_id}",
            "@type": "case-investigation:Investigation",
            "uco-core:name": case.title,
            "uco-core:externalReference": {
                "@id": f"kb:reference-{case.case_id}",
                "@type": "uco-core:ExternalReference",
                "uco-core:externalIdentifier": case.number,
            },
            "uco-core:object": [{"@id": f"kb:file-{clip}"} for _, clip in subject.numbered],
        }
    ]


def exhibit_nodes(one: Exhibit, origin: str) -> Iterator[JsonObject]:
    """Yield what a graph says of one exhibit; `origin` names the log."""
    sealed = one.proven.sealed
    digest = sealed.digest
    hashes: list[JsonValue] = [_hash(one.clip, "SHA256", digest.sha256.hex())]
    if digest.sm3 is not None:
        hashes.append(_hash(one.clip, "SM3", digest.sm3.hex()))
    yield {
        "@id": f"kb:file-{one.clip}",
        "@type": "uco-observable:File",
        "uco-core:hasFacet": [
            {
                "@id": f"kb:{uuid5(one.clip, 'file')}",
                "@type": "uco-observable:FileFacet",
                "uco-observable:fileName": sealed.name,
                "uco-observable:sizeInBytes": digest.size,
            },
            {
                "@id": f"kb:{uuid5(one.clip, 'content')}",
                "@type": "uco-observable:ContentDataFacet",
                "uco-observable:sizeInBytes": digest.size,
                "uco-observable:hash": hashes,
            },
        ],
    }
    excerpt: list[JsonValue] = [] if one.enclosed is None else [{"@id": f"kb:excerpt-{one.clip}"}]
    yield {
        "@id": f"kb:provenance-{one.clip}",
        "@type": "case-investigation:ProvenanceRecord",
        "case-investigation:exhibitNumber": str(one.number),
        "uco-core:description": f"entry {one.proven.index} of the transparency log {origin}, root {digest.root.hex()}",
        "uco-core:object": [{"@id": f"kb:file-{one.clip}"}, *excerpt],
    }
    if one.enclosed is not None:
        yield _excerpt_node(one.clip, sealed.name, one.enclosed)
    for line in one.history.lines:
        yield {
            "@id": f"kb:action-{uuid5(line.event.entry_id, str(one.clip))}",
            "@type": "case-investigation:InvestigativeAction",
            "uco-core:name": line.event.type,
            "uco-core:description": f"entry {line.index} of the transparency log {origin}",
            "uco-action:startTime": {"@type": "xsd:dateTime", "@value": format_time(line.event.at)},
            "uco-action:performer": {"@id": f"kb:{line.event.actor}", "@type": "uco-identity:Identity"},
            "uco-action:object": [{"@id": f"kb:file-{one.clip}"}],
        }


def _excerpt_node(clip: UUID, name: str, enclosed: Enclosed) -> JsonObject:
    """Return the file that lies there in the place of the original; the original's own node says what was sealed."""
    statement = enclosed.statement
    spans = ", ".join(f"{one.asked.from_ms} to {one.asked.to_ms} ms" for one in statement.spans)
    hashes: list[JsonValue] = [_hash(clip, "SHA256", enclosed.sha256.hex(), of="excerpt")]
    if enclosed.sm3 is not None:
        hashes.append(_hash(clip, "SM3", enclosed.sm3.hex(), of="excerpt"))
    return {
        "@id": f"kb:excerpt-{clip}",
        "@type": "uco-observable:File",
        "uco-core:description": (
            f"an excerpt in the place of the original: chunks for {spans} by the service's word, "
            f"{statement.held_bytes} of {statement.size} bytes, {enclosed.left_out_bytes} left out"
        ),
        "uco-core:hasFacet": [
            {
                "@id": f"kb:{uuid5(clip, 'excerpt file')}",
                "@type": "uco-observable:FileFacet",
                "uco-observable:fileName": f"{name}{CHUNKS_SUFFIX}",
                "uco-observable:sizeInBytes": statement.held_bytes,
            },
            {
                "@id": f"kb:{uuid5(clip, 'excerpt content')}",
                "@type": "uco-observable:ContentDataFacet",
                "uco-observable:sizeInBytes": statement.held_bytes,
                "uco-observable:hash": hashes,
            },
        ],
    }


def _hash(clip: UUID, method: str, value: str, *, of: str = "") -> JsonObject:
    return {
        "@id": f"kb:{uuid5(clip, f'{of}{method}')}",
        "@type": "uco-types:Hash",
        "uco-types:hashMethod": {"@type": "uco-vocabulary:HashNameVocab", "@value": method},
        "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": value},
    }
